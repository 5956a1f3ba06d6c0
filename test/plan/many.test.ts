/** Plans of very many verbs and columns: rules make nothing of them that is refused, and planning looks at what there is no more often than it must. */
import { describe, expect, it } from 'vitest'
import { findField } from '../../src/columnar/schema.js'
import type { SchemaShape } from '../../src/columnar/type.js'
import { float64, rows, schema, sum } from '../../src/index.js'
import type { OverNode } from '../../src/plan/logical.js'
import { lowerOver } from '../../src/plan/over.js'

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
