// The least that a page does with Millrace; bundled by size.js, and run to see what it fetches.

import { columns, sum } from 'millrace'

const table = await columns({ key: ['a', 'b', 'a'], value: [1, 2, 3] })
  .groupBy('key')
  .aggregate(t => ({ value: sum(t.value) }))
  .collect({ lanes: globalThis.lanes })
document.body.textContent = table.toString()
