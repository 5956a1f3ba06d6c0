/** The suite of pushed rows in Node; in a browser it is run by test/browser/flow.test.ts. */
import { feedSuite } from './feeds.suite.js'

feedSuite([0, 1, 2])
