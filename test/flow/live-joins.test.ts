/** The suite of joins that run on in Node; in a browser it is run by test/browser/flow.test.ts. */
import { liveJoinSuite } from './live-joins.suite.js'

liveJoinSuite([0, 2])
