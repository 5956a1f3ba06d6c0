/** The suite of rows of windows in Node; in a browser it is run by test/browser/flow.test.ts. */
import { windowRowsSuite } from './window-rows.suite.js'

windowRowsSuite([0, 1, 2])
