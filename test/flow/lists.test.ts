/** Columns of lists in Node, on 0 to 3 lanes. */
import { nodeEnv } from './env.node.js'
import { listSuite } from './lists.suite.js'

listSuite([0, 1, 2, 3], nodeEnv())
