// Short names for the kernels' exports in what is published: the wasm and the bindings that call it are renamed alike. Sources, tests and build/
// keep the names that people read.

import { createHash } from 'node:crypto'

/** What tells a module of another build apart: its name is made of all the bytes, so that bindings find it in those that they were built with, and in no others. */
const VERSION = 'abiVersion'

const EXPORT_SECTION = 7

/**
 * @param {Uint8Array} wasm
 * @returns {Map<string, string>} the short name of each export: a, b, ... aa, ab, ... in the order of their names; of the version one of this build
 */
export function shortNames(wasm) {
  const names = exportsOf(wasm).entries.map(({ name }) => name)
  const renamed = names.filter(name => name !== VERSION).sort()
  const version = `abi${createHash('sha256').update(wasm).digest().readUInt32LE()}`
  return new Map([...renamed.map((name, i) => [name, shortName(i)]), [VERSION, version]])
}

const shortName = i => (i < 26 ? '' : shortName(Math.floor(i / 26) - 1)) + String.fromCharCode(97 + (i % 26))

/**
 * A module with its exports renamed.
 *
 * @param {Uint8Array} wasm
 * @param {ReadonlyMap<string, string>} short of `shortNames`, of this module or of one that has all that it has
 */
export function renameExports(wasm, short) {
  const { from, to, entries } = exportsOf(wasm)
  const content = [...leb(entries.length)]
  for (const { name, rest } of entries) {
    const bytes = Buffer.from(short.get(name) ?? name)
    content.push(...leb(bytes.length), ...bytes, ...rest)
  }
  const section = Buffer.from([EXPORT_SECTION, ...leb(content.length), ...content])
  return Buffer.concat([wasm.subarray(0, from), section, wasm.subarray(to)])
}

/**
 * A binding's source with the exports that it calls renamed. Every use must read `exports.name`, or no name could be found for it.
 *
 * @param {string} code
 * @param {ReadonlyMap<string, string>} short of `shortNames`
 */
export function renameUses(code, short) {
  const computed = code.match(/\bexports\s*(\?\.)?\[.*/)
  if (computed) throw new Error(`Write exports.name, not ${computed[0]}: exports are renamed in what is published.`)
  return code.replace(/\bexports\.(\w+)/g, (_use, name) => {
    const renamed = short.get(name)
    if (renamed === undefined) throw new Error(`The kernels have no export ${name}.`)
    return `exports.${renamed}`
  })
}

/**
 * ```
 *   section   id u8, size leb, content
 *   exports   count leb, each: name length leb, name, kind u8, index leb
 * ```
 */
function exportsOf(wasm) {
  let at = 8
  const read = () => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = wasm[at++]
      value += (byte & 127) * 2 ** shift
      if (byte < 128) return value
    }
  }
  while (at < wasm.length) {
    const from = at
    const id = wasm[at++]
    const to = read() + at
    if (id !== EXPORT_SECTION) {
      at = to
      continue
    }
    const entries = Array.from({ length: read() }, () => {
      const length = read()
      const name = Buffer.from(wasm.subarray(at, at + length)).toString()
      at += length
      const start = at++
      read()
      return { name, rest: wasm.subarray(start, at) }
    })
    return { from, to, entries }
  }
  throw new Error('The kernels export nothing.')
}

function leb(value) {
  return value < 128 ? [value] : [(value % 128) + 128, ...leb(Math.floor(value / 128))]
}
