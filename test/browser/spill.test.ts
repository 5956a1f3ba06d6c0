/** Spilling in a real browser, to the private file system of the page's origin; on pages that are not isolated only, for it takes its time. */
import { webEnv } from '../flow/env.web.js'
import { spillSuite } from '../flow/spill.suite.js'

spillSuite([0, 2], webEnv())
