/** The sinks suite in Node; files by path are test/sinks. */
import { nodeEnv } from './env.node.js'
import { sinkSuite } from './sinks.suite.js'

sinkSuite([0, 1, 2], nodeEnv())
