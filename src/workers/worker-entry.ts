/** The worker's side of a lane, for the inlined worker: parts arrive as text. worker-file.ts is the published file's. */
import { inside } from '#inside-worker'
import { serveLane } from './serve-lane.js'

serveLane(
  (_name, text) => inside.importText(text as string),
  () => inside.importText(''),
)
