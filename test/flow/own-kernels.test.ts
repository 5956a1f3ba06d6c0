/** The suite of users' own kernels and of private answers in Node; in a browser it is run by test/browser/flow.test.ts. */
import { ownKernelsSuite } from './own-kernels.suite.js'

ownKernelsSuite([0, 2])
