/** Inputs from front to end, in Node; the same in browsers by test/browser/inputs.test.ts, URLs by url-stream.test.ts. */
import { byteStreamSuite } from './byte-stream.suite.js'

byteStreamSuite()
