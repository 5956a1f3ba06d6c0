/** What lanes add for plans of several sources. */
export { createAsofJoin } from './asof-join.js'
export { createJoin } from './join.js'
export { shareSides } from './share-side.js'
export { createUnion } from './union.js'
