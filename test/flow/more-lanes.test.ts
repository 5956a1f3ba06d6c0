/** The flow suites in Node on one and on three lanes. */
import { flowSuites } from './suites.js'

flowSuites([1, 3])
