/** The live suite in Node; in a browser it is run by test/browser/flow.test.ts. */
import { liveSuite } from './live.suite.js'

liveSuite([0, 1, 2, 3])
