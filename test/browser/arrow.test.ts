/** Arrow files in a real browser: Blobs, of which each lane reads its own parts. */
import { arrowSuite } from '../flow/arrow.suite.js'
import { webEnv } from '../flow/env.web.js'
import { lanesList } from './lanes.js'

arrowSuite(lanesList, webEnv())
