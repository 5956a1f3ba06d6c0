/** The suite of user code in Node; in a browser it is run by test/browser/flow.test.ts. */
import { nodeEnv } from './env.node.js'
import { userCodeSuite } from './user-code.suite.js'

userCodeSuite([0, 1, 2, 3], nodeEnv())
