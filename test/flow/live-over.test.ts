/** The suite of `over` on flows that run on in Node; in a browser it is run by test/browser/flow.test.ts. */
import { liveOverSuite } from './live-over.suite.js'

liveOverSuite([0, 2])
