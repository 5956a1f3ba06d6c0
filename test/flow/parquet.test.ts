/** The flights suite in Node; a file of its own, since it takes longest. */
import { nodeEnv } from './env.node.js'
import { parquetSuite } from './parquet.suite.js'

parquetSuite([0, 1, 2, 3], nodeEnv())
