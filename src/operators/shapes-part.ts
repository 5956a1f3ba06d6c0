/** What lanes load for plans that make other rows of rows. */
export { createExplode } from './explode.js'
export { createSample } from './sample.js'
export { createUnpivot } from './unpivot.js'
