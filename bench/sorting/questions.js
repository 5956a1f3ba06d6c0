// What is asked of whole rows, in the words of each engine; data.js makes the table.

/**
 * @typedef {object} SortingQuestion
 * @property {string} id
 * @property {string} text
 * @property {(flow: any) => any} ours
 * @property {string} sql
 * @property {(frame: any) => any} polars
 * @property {'key' | 'text' | null} ascending the column that must ascend in the answer
 * @property {('key' | 'text' | 'value')[]} fixed the columns whose values are the same for all engines: which row of a key stays is up to each
 */

/** @type {SortingQuestion[]} */
export const sortingQuestions = [
  {
    id: 's1',
    text: 'sort by an int',
    ours: flow => flow.orderBy('key'),
    sql: 'SELECT * FROM x ORDER BY key',
    polars: frame => frame.sort('key'),
    ascending: 'key',
    fixed: ['key', 'text', 'value'],
  },
  {
    id: 's2',
    text: 'sort by a string',
    ours: flow => flow.orderBy('text'),
    sql: 'SELECT * FROM x ORDER BY text',
    polars: frame => frame.sort('text'),
    ascending: 'text',
    fixed: ['key', 'text', 'value'],
  },
  {
    id: 's3',
    text: 'first 1,000 by an int',
    ours: flow => flow.orderBy('key').limit(1000),
    sql: 'SELECT * FROM x ORDER BY key LIMIT 1000',
    polars: frame => frame.sort('key').limit(1000),
    ascending: 'key',
    fixed: ['key'],
  },
  {
    id: 'd1',
    text: 'dedupe of whole rows',
    ours: flow => flow.dedupe(),
    sql: 'SELECT DISTINCT * FROM x',
    polars: frame => frame.unique(),
    ascending: null,
    fixed: ['key', 'text', 'value'],
  },
  {
    id: 'd2',
    text: 'dedupe by an int',
    ours: flow => flow.dedupe('key'),
    sql: 'SELECT DISTINCT ON (key) * FROM x',
    polars: frame => frame.unique(['key'], 'any'),
    ascending: null,
    fixed: ['key'],
  },
  {
    id: 'd3',
    text: 'dedupe by a string',
    ours: flow => flow.dedupe('text'),
    sql: 'SELECT DISTINCT ON (text) * FROM x',
    polars: frame => frame.unique(['text'], 'any'),
    ascending: null,
    fixed: ['text'],
  },
]
