/** The suite of several inputs in Node; in a browser it is run by test/browser/flow.test.ts. */
import { inputSuite } from './inputs.suite.js'

inputSuite([0, 2])
