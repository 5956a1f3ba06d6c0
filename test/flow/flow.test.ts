/** The flow suites in Node, inline and on two lanes; in a browser they are run by test/browser/flow.test.ts. */
import { flowSuites } from './suites.js'

flowSuites([0, 2])
