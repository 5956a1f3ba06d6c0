/** What lanes add for plans of several sources; hashes of keys are borrowed by spilling-join.ts, which is another part. */
export { createAsofJoin } from './asof-join.js'
export { createJoin } from './join.js'
export { hashedKeys, keyHashes } from './key-hashes.js'
export { giveLast } from './last-rows.js'
export { createPartedJoin } from './parted-join.js'
export { shareSides } from './share-side.js'
export { createUnion } from './union.js'
