/** Plans of very many verbs and columns: rules make nothing of them that is refused, and planning looks at what there is no more often than it must. */
import { describe, expect, it } from 'vitest'
import { findField } from '../../src/columnar/schema.js'
import type { SchemaShape } from '../../src/columnar/type.js'
import { type Flow, float64, int32, nullable, rows, schema, sum } from '../../src/index.js'
import type { OverNode } from '../../src/plan/logical.js'
import { lowerOver } from '../../src/plan/over.js'

const MANY = 1200
const inline = { lanes: 0 }
const numbers = rows([{ n: 1 }, { n: 2 }, { n: 3 }], schema({ n: int32() }))
const repeated = <S extends SchemaShape>(flow: Flow<S>, verb: (flow: Flow<S>, i: number) => Flow<S>): Flow<S> => {
  let made = flow
  for (let i = 0; i < MANY; i++) made = verb(made, i)
  return made
}

describe('verbs, more than an expression may be deep', () => {
  it('derive one from another', async () => {
    const summed = repeated(numbers.cast({ n: float64() }), flow => flow.derive(t => ({ n: t.n.add(1) })))
    expect((await summed.collect(inline)).column('n').toArray()).toEqual(Float64Array.of(1201, 1202, 1203))
  })

  it('filter what others have', async () => {
    const kept = repeated(numbers, (flow, i) => flow.filter(t => t.n.gt(i === 1000 ? 1 : -i)))
    expect((await kept.collect(inline)).column('n').toArray()).toEqual(Int32Array.of(2, 3))
  })
})

describe('columns, more than an expression may be deep', () => {
  const names = Array.from({ length: MANY }, (_, i) => `c${i}`)
  const wide = schema(Object.fromEntries(names.map(name => [name, nullable(int32())])))
  const row = Object.fromEntries(names.map((name, i) => [name, i]))

  it('are looked at for nulls', async () => {
    const kept = await rows([row, { ...row, c7: null }, { ...row, c1199: null }], wide)
      .dropNulls()
      .collect(inline)
    expect(kept.rowCount).toBe(1)
  })

  it('are held against rules', async () => {
    const { rejected } = rows([row, { ...row, c7: null }], wide).validate(
      Object.fromEntries(names.map(name => [`is_${name}`, (t: any) => t[name].gte(0)])),
    )
    expect((await rejected.collect(inline)).column('brokenRules').toArray()).toEqual(['is_c7'])
  })
})

describe('how often columns are gone through', () => {
  const names = Array.from({ length: 40 }, (_, i) => `c${i}`)
  /** A schema, and how often its names have been listed. */
  const listed = () => {
    const told = { times: 0 }
    const shape = new Proxy(schema(Object.fromEntries(names.map(name => [name, float64()]))), {
      ownKeys(target) {
        told.times++
        return Reflect.ownKeys(target)
      },
    })
    return { shape: shape as SchemaShape, told }
  }

  it('once, however many are looked up', () => {
    const { shape, told } = listed()
    expect(names.map(name => findField(shape, name, 'column'))).toEqual(names.map((_, i) => i))
    expect(told.times).toBe(1)
  })

  it('as often, however many are said over a window', () => {
    const timesOf = (calls: number) => {
      const { shape, told } = listed()
      const { plan } = rows([], schema(Object.fromEntries(names.map(name => [name, float64()])))).over({}, t =>
        Object.fromEntries(names.slice(0, calls).map(name => [`sum_${name}`, sum(t[name])])),
      )
      lowerOver(plan as OverNode, shape)
      return told.times
    }
    expect(timesOf(40)).toBe(timesOf(2))
  })
})
