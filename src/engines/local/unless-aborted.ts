/** Waiting that a signal ends; formats wait in the same way. */
export { unlessAborted } from '../../formats/unless-aborted.js'
