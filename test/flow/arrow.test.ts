/** Arrow files through whole flows, in Node. */
import { arrowSuite } from './arrow.suite.js'
import { nodeEnv } from './env.node.js'

arrowSuite([0, 1, 2, 3], nodeEnv())
