// The pages the browser suites run on: one cross-origin isolated, one not; both must do. Flows are tested beside this file.

import { expect, test } from 'vitest'

declare const __ISOLATED__: boolean

test(`the page is ${__ISOLATED__ ? 'cross-origin isolated' : 'not cross-origin isolated'}`, () => {
  expect(crossOriginIsolated).toBe(__ISOLATED__)
  expect(typeof SharedArrayBuffer === 'function').toBe(__ISOLATED__)
})
