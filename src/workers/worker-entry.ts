/** The worker's side of a lane, for the inlined worker: extensions arrive as text. worker-file.ts is the published file's. */
import { platform } from '#platform'
import { serveLane } from './serve-lane.js'

serveLane((_name, text) => platform.importText(text as string))
