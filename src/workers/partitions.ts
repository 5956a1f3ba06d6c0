/** What lanes add where groups may outnumber their caches: they part their rows, and share out the partitions. */
export { createPartitionedGroups } from '../operators/partitioned-groups.js'
export { agree, exchangeGroups } from './exchange.js'
