/** Inputs from front to end in a real browser: its streams, its decompression and its encodings. */
import { byteStreamSuite } from '../formats/byte-stream.suite.js'

byteStreamSuite()
