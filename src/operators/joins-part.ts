/** What lanes add for plans of several sources; `keyWords` is borrowed by spilling-join.ts, which is another part. */
export { keyWords } from '../kernels/join-keys.js'
export { createAsofJoin } from './asof-join.js'
export { createJoin } from './join.js'
export { giveLast } from './last-rows.js'
export { shareSides } from './share-side.js'
export { createUnion } from './union.js'
