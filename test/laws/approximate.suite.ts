/** The laws of approximate aggregates: what each promises, whatever the rows; and the same bits however these come, where it is a function of them alone. */
import fc from 'fast-check'
import { describe, it } from 'vitest'
import { type AnyExpr, approxCountDistinct, approxQuantile, approxTopK, type Engine } from '../../src/index.js'
import { type ApproximateFunction, type ApproximateParameters, whyNotNear } from '../oracle/approximate.js'
import { toJavaScript } from '../oracle/javascript.js'
import { isNumber, keyText, type ModelTable, type Value } from '../oracle/value.js'
import { CARRIERS, type Carrier, canCarry, carry, isReadOnce } from './carriers.js'
import { choicesOf } from './choices.js'
import { valueText } from './compare.js'
import { own } from './handles.js'
import { sayTable } from './say.js'
import { check, type LawOptions, longTest, openEngines } from './support.js'
import { fieldsOf, spread, tables } from './tables.js'

interface Asked {
  readonly name: ApproximateFunction
  readonly parameters: ApproximateParameters
  readonly call: (x: AnyExpr) => any
}

const ASKED: readonly Asked[] = [
  ...[4, 11, 14, 18].map(
    (precision): Asked => ({
      name: 'approxCountDistinct',
      parameters: { precision },
      call: x => approxCountDistinct(x, { precision }),
    }),
  ),
  ...[0, 0.3, 0.5, 0.99, 1].map(
    (q, i): Asked => ({
      name: 'approxQuantile',
      parameters: { q, error: [0.01, 0.001, 0.2][i % 3] as number },
      call: x => approxQuantile(x, q, { error: [0.01, 0.001, 0.2][i % 3] as number }),
    }),
  ),
  ...[
    [1, 4],
    [3, 3],
    [2, 64],
  ].map(
    ([n, capacity]): Asked => ({
      name: 'approxTopK',
      parameters: { n: n as number, capacity: capacity as number },
      call: x => approxTopK(x, n as number, { capacity: capacity as number }),
    }),
  ),
]

/** Space-saving depends on the splits too; the others on the values alone. */
const isFunctionOfValues = ({ name }: Asked): boolean => name !== 'approxTopK'

export function approximateLaws(lanesList: readonly number[], options: LawOptions): void {
  describe('laws of approximate aggregates', () => {
    const engines = openEngines(lanesList)

    async function holds(table: ModelTable, carriers: readonly Carrier[]): Promise<void> {
      const key = table.fields[0]?.type.kind === 'list' ? undefined : table.fields[0]?.name
      for (const { name, type } of table.fields.filter(field => field.type.kind !== 'list')) {
        const asked = ASKED.filter(one => one.name !== 'approxQuantile' || isNumber(type.kind))
        const seen = new Map<string, string>()
        const groups = [...groupsOf(table, key, name), ...(key === undefined ? [] : groupsOf(table, undefined, name))]
        for (const carrier of carriers.filter(one => !isReadOnce(one) && canCarry(table, one))) {
          const flow = await carry(table, carrier, choicesOf([3, 1, 6]))
          const define = (t: any) => own(asked.map(({ call }, i) => [`result ${i}`, call(t[name])]))
          const grouped = key === undefined ? flow.aggregate(define) : flow.rollup(key).aggregate(define)
          for (const lanes of lanesList) {
            const where = `${carrier}, ${lanes} lanes, of ${JSON.stringify(name)}`
            const result = await grouped.collect({ engine: engines.get(lanes) as Engine })
            const rows = result.toRows({ bigint: true }) as Record<string, Value>[]
            for (const [g, { key: group, values }] of groups.entries()) {
              for (const [i, one] of asked.entries()) {
                const value = rows[g]?.[`result ${i}`] as Value
                const said = `${where}, group ${group}: ${one.name} ${JSON.stringify(one.parameters)}`
                const at = `${g} ${i} ${isFunctionOfValues(one) ? '' : carrier}`
                const text = valueText(value)
                // The same again has been judged.
                if (seen.get(at) === text) continue
                const given = one.name === 'approxTopK' ? values.map(each => toJavaScript(each, type)) : values
                const why = whyNotNear(one.name, given, one.parameters, value)
                if (why !== null) throw new Error(`${said} is ${why}`)
                if (seen.has(at)) throw new Error(`${said} is ${text}, and was ${seen.get(at)}`)
                seen.set(at, text)
              }
            }
          }
        }
      }
    }

    const say = (table: ModelTable) => ({ ...table, [fc.toStringMethod]: () => sayTable(table) })

    it(
      'keep what they promise, the same from every source and on every number of lanes',
      {
        timeout: longTest(options),
      },
      () => check(options, 40, tables(60, fieldsOf(3)).map(say), table => holds(table, CARRIERS)),
    )

    it('keep it over many values in many splits', { timeout: longTest(options) }, () =>
      check(options, 2, fc.tuple(tables(3000, fieldsOf(2)), fc.nat()), ([block, seed]) =>
        holds(spread(block, 140_000, seed), ['chunks']),
      ),
    )
  })
}

/** The values that are not null of every group, in order of first appearance. */
function groupsOf(table: ModelTable, key: string | undefined, name: string) {
  const [k, x] = [key, name].map(wanted => table.fields.findIndex(field => field.name === wanted)) as [number, number]
  const groups = new Map<string, Value[]>()
  if (key === undefined) groups.set('', [])
  for (const { values } of table.rows) {
    const text = key === undefined ? '' : keyText([values[k] as Value])
    const group = groups.get(text) ?? []
    groups.set(text, group)
    if (values[x] !== null) group.push(values[x] as Value)
  }
  return [...groups].map(([group, values]) => ({ key: group, values }))
}
