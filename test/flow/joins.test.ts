/** The suite of several sources in Node; in a browser it is run by test/browser/flow.test.ts. */
import { joinSuite } from './joins.suite.js'

joinSuite([0, 1, 2, 3])
