// The same page with Arquero; bundled by size.js, not run.

import { op, table } from 'arquero'

const answer = table({ key: ['a', 'b', 'a'], value: [1, 2, 3] })
  .groupby('key')
  .rollup({ value: op.sum('value') })
document.body.textContent = JSON.stringify(answer.objects())
