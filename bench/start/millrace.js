// Start-up of Millrace: `node millrace.js ENTRY [LANES]`, where no LANES means the default options of a new user.

import { finish, keys, values } from './data.js'

const [entry, lanes] = process.argv.slice(2)
const { columns, sum } = await import(entry)
const table = await columns({ key: keys, value: values })
  .groupBy('key')
  .aggregate(t => ({ value: sum(t.value) }))
  .collect(lanes === undefined ? {} : { lanes: Number(lanes) })
finish(table.column('value').toArray())
