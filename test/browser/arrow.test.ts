/** Arrow files in a real browser: Blobs, of which each lane reads its own parts. */
import { arrowSuite } from '../flow/arrow.suite.js'
import { webEnv } from '../flow/env.web.js'

arrowSuite([0, 1, 2, 3], webEnv())
