/** Functions in Node, on 0 to 3 lanes; in a browser they are run by test/browser/flow.test.ts. */
import { nodeEnv } from './env.node.js'
import { functionSuite } from './functions.suite.js'

functionSuite([0, 1, 2, 3], nodeEnv())
