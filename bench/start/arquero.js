// Start-up of Arquero.

import { op, table } from 'arquero'
import { finish, keys, values } from './data.js'

const answer = table({ key: keys, value: values })
  .groupby('key')
  .rollup({ value: op.sum('value') })
finish(answer.array('value'))
