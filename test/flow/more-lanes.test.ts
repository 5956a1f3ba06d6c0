/** The flow suites in Node on one and on three lanes. */
import { flowSuites, jobSuites } from './suites.js'

flowSuites([1, 3])
jobSuites([1, 3])
