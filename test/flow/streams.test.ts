/** The streams suite in Node; in a browser it is run by test/browser/flow.test.ts. */
import { streamSuite } from './streams.suite.js'

streamSuite([0, 1, 2, 3])
