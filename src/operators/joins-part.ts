/** What lanes add for plans of several sources. */
export { createJoin } from './join.js'
export { createUnion } from './union.js'
