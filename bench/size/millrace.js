// The least that a page does with Millrace; bundled by size.js, not run.

import { columns, sum } from 'millrace'

const table = await columns({ key: ['a', 'b', 'a'], value: [1, 2, 3] })
  .groupBy('key')
  .aggregate(t => ({ value: sum(t.value) }))
  .collect()
document.body.textContent = table.toString()
