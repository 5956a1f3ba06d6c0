/** What lanes add where groups, or rows to sort, may outnumber their caches: they part their rows, and share out the partitions. */
export { keyPlanes, keysOfPlanes, PARTITIONS, partRows, rowsOfLane } from '../kernels/radix.js'
export { createAggregateExchange } from '../operators/aggregate-exchange.js'
export { createFirstRows } from '../operators/first-rows.js'
export { createRangedSort } from '../operators/ranged-sort.js'
export { createShareGroups, inputsOfRows, planeColumns, words } from '../operators/share-groups.js'
export { agree, exchangeGroups, shareStates } from './exchange.js'
