// One thread of the floor: private memory, filled once, summed whenever it is told; floor.js tells and times it.

import { parentPort, workerData } from 'node:worker_threads'
import { instantiateAssembly } from './compile.js'

const PAGE_BYTES = 65_536

const { module, byteLength } = workerData
const memory = new WebAssembly.Memory({ initial: byteLength / PAGE_BYTES })
const { sum } = instantiateAssembly(module, memory)
const count = byteLength / 8
new Float64Array(memory.buffer).fill(1)

parentPort.on('message', () => {
  if (sum(0, count) !== count) throw new Error('the floor has not read its memory')
  parentPort.postMessage('done')
})
parentPort.postMessage('ready')
