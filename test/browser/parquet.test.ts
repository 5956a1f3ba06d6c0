/** The flights suite in a real browser: the file as a Blob, of which each lane reads its own parts. */
import { webEnv } from '../flow/env.web.js'
import { parquetSuite } from '../flow/parquet.suite.js'
import { lanesList } from './lanes.js'

parquetSuite(lanesList, webEnv())
