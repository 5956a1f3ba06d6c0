/** Engines, cancelling, bad input and budgets in Node, inline and on two lanes. */
import { jobSuites } from './suites.js'

jobSuites([0, 2])
