// What runs in the page that chromium.js opens: the same reading, timing and check as in Node.

import { timedRead } from '../timed-read.js'
import { openMillraceReader } from './millrace-reader.js'

let reader

globalThis.millrace = {
  async open(options) {
    reader = await openMillraceReader(await import('/dist/web/index.js'), options)
  },

  async read(file) {
    const [chosen] = document.querySelector('input').files
    const reading = await timedRead({ read: ({ format }) => reader.read(chosen, format) }, file, true)
    globalThis.gc?.()
    await new Promise(resolve => setTimeout(resolve))
    return reading
  },
}
