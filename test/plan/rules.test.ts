/** Facts of each rule: what it does, and what it leaves alone because rows or errors would change. Plans are shown as explain shows stages. */
import { describe, expect, it } from 'vitest'
import { printExpression } from '../../src/expressions/print.js'
import {
  count,
  type Flow,
  float64,
  int32,
  int64,
  mean,
  nullable,
  rows,
  schema,
  sum,
  timestamp,
  utf8,
  when,
} from '../../src/index.js'
import { explainPlan } from '../../src/plan/explain.js'
import { physicalPlan } from '../../src/plan/planner.js'

const trades = rows(
  [],
  schema({ time: timestamp(), symbol: utf8(), price: float64(), size: int32(), lots: int64(), note: nullable(utf8()) }),
)

const planOf = (flow: Flow<any>) => physicalPlan(flow.plan)
/** The lines between source and output. */
const stages = (flow: Flow<any>) =>
  explainPlan(flow.plan)
    .split('\n')
    .slice(1, -1)
    .map(line => line.trim())
    .filter(line => !/^(every lane|lane 0|skips|merge|first rows)/.test(line))
const pruneOf = (flow: Flow<any>) => {
  const { prune } = planOf(flow)
  return prune === null ? null : printExpression(prune)
}

describe('constants', () => {
  it('what stands around a part that has become another is typed and bound anew', () => {
    const half = trades
      .derive(t => ({ half: when(t.lots.isNull()).then(t.lots).otherwise(0.5) }))
      .select('lots', 'half')
    expect(stages(half.filter(t => t.half.eq(t.lots)).select('lots'))).toEqual(['filter false'])
    expect(stages(half.filter(t => t.half.lt(t.lots)).select('lots'))).toEqual(['filter lots > 0'])
  })
})

describe('columns', () => {
  it('only those that something reads are read from the source', () => {
    expect(planOf(trades.filter(t => t.size.gt(1)).select('price')).sourceColumns).toEqual(['price', 'size'])
    expect(planOf(trades.groupBy('symbol').aggregate(t => ({ m: mean(t.price) }))).sourceColumns).toEqual([
      'symbol',
      'price',
    ])
    expect(planOf(trades.select('price', 'size').orderBy('size').select('price')).sourceColumns).toEqual([
      'price',
      'size',
    ])
    expect(planOf(trades).sourceColumns).toHaveLength(6)
  })

  it('none at all, where only rows are counted', () => {
    expect(planOf(trades.aggregate(() => ({ n: count() }))).sourceColumns).toEqual([])
    expect(planOf(trades.aggregate(t => ({ n: count(t.price) }))).sourceColumns).toEqual([])
    expect(planOf(trades.aggregate(t => ({ n: count(t.note) }))).sourceColumns).toEqual(['note'])
    expect(planOf(trades.derive(t => ({ x: t.price.add(1) })).aggregate(() => ({ n: count() }))).sourceColumns).toEqual(
      [],
    )
  })

  it('a derived column that nobody reads is not computed, unless it can fail', () => {
    expect(stages(trades.derive(t => ({ x: t.price.add(1), y: t.price.mul(2) })).select('y'))).toEqual([
      'derive y = price * 2',
    ])
    expect(stages(trades.derive(t => ({ x: t.lots.add(1) })).select('price'))).toEqual([
      'derive price, x = lots + 1',
      'select price',
    ])
  })

  it('a filter hands on only what is read after it', () => {
    const [filter] = planOf(trades.filter(t => t.size.gt(1)).aggregate(t => ({ s: sum(t.price) }))).scan
    expect(Object.keys(filter?.output ?? {})).toEqual(['price'])
    const { scan } = planOf(
      trades
        .filter(t => t.lots.add(1).gt(1))
        .filter(t => t.lots.mul(2).gt(t.size))
        .select('price'),
    )
    expect(scan.map(({ output }) => Object.keys(output))).toEqual([['price', 'size', 'lots'], ['price']])
  })
})

describe('filters', () => {
  it('merge, and pass projects on columns that are handed through', () => {
    expect(
      stages(
        trades
          .filter(t => t.size.gt(1))
          .filter(t => t.price.lt(2))
          .select('price'),
      ),
    ).toEqual(['filter (size > 1) and (price < 2)'])
    expect(
      stages(
        trades
          .rename({ size: 'n' })
          .filter(t => t.n.gt(1))
          .select('n'),
      ),
    ).toEqual(['filter size > 1', 'select n = size'])
    expect(
      stages(
        trades
          .derive(t => ({ x: t.price.mul(2) }))
          .filter(t => t.size.gt(1))
          .select('x'),
      ),
    ).toEqual(['filter size > 1', 'derive x = price * 2'])
  })

  it('stay above what they read, rather than compute it twice', () => {
    expect(
      stages(
        trades
          .derive(t => ({ x: t.price.mul(2) }))
          .filter(t => t.x.gt(1))
          .select('x'),
      ),
    ).toEqual(['derive x = price * 2', 'filter x > 1'])
  })

  it('pass a sort, but neither a limit nor an aggregate', () => {
    expect(
      stages(
        trades
          .select('price')
          .orderBy('price')
          .filter(t => t.price.gt(1)),
      ),
    ).toEqual(['filter price > 1', 'sort by price'])
    expect(
      stages(
        trades
          .select('price')
          .limit(5)
          .filter(t => t.price.gt(1)),
      ),
    ).toEqual(['limit 5', 'filter price > 1'])
    expect(
      stages(
        trades
          .groupBy('symbol')
          .aggregate(() => ({ n: count() }))
          .filter(t => t.symbol.eq('a')),
      ),
    ).toEqual(['aggregate by symbol: #0 = count()', 'results symbol, n = #0', 'filter symbol = "a"'])
  })

  it('never pass what can fail, since it would no longer fail on the rows that they remove', () => {
    const flow = trades.derive(t => ({ x: t.lots.mul(2) })).filter(t => t.price.gt(1))
    expect(stages(flow.select('x'))).toEqual(['derive price, x = lots * 2', 'filter price > 1'])
    expect(pruneOf(flow)).toBe(null)
  })

  it('that can fail stay behind the filter that would have removed their rows, and before those that would', () => {
    const guarded = trades
      .filter(t => t.size.gt(0))
      .filter(t => t.lots.mul(2).gt(1))
      .filter(t => t.price.gt(1))
    expect(stages(guarded.select('price'))).toEqual(['filter size > 0', 'filter ((lots * 2) > 1) and (price > 1)'])
    const sorted = trades
      .select('lots')
      .orderBy('lots')
      .filter(t => t.lots.mul(2).gt(1))
    expect(stages(sorted)).toEqual(['sort by lots', 'filter (lots * 2) > 1'])
  })

  it('that every row passes go', () => {
    expect(stages(trades.filter(() => true).select('price'))).toEqual([])
    expect(stages(trades.filter(t => t.size.isNull().not()).select('price'))).toEqual([])
    expect(stages(trades.filter(t => t.size.lt(1e300)).select('price'))).toEqual([])
  })
})

describe('splits', () => {
  it('are skipped by the filter right above the source, if it cannot fail', () => {
    expect(pruneOf(trades.rename({ size: 'n' }).filter(t => t.n.gt(1.5)))).toBe('size > 1')
    expect(pruneOf(trades.filter(t => t.size.gt(1)).filter(t => t.price.lt(2)))).toBe('(size > 1) and (price < 2)')
    expect(pruneOf(trades.filter(t => t.lots.add(1).gt(1)))).toBe(null)
    expect(pruneOf(trades.filter(t => t.size.gt(1)).filter(t => t.lots.add(1).gt(1)))).toBe('size > 1')
    expect(pruneOf(trades.limit(5).filter(t => t.size.gt(1)))).toBe(null)
  })
})

describe('projects', () => {
  it('merge into one, and those that change nothing go', () => {
    expect(stages(trades.select('price', 'size').drop('size').rename({ price: 'p' }))).toEqual(['rename p = price'])
    expect(stages(trades.rename({ price: 'p' }).rename({ p: 'price' }))).toEqual([])
    expect(
      stages(
        trades
          .derive(t => ({ x: t.price.add(1) }))
          .derive(t => ({ y: t.x.mul(2) }))
          .select('y'),
      ),
    ).toEqual(['derive y = (price + 1) * 2'])
    expect(stages(trades.select('price').derive(t => ({ price: t.price })))).toEqual([])
  })

  it('do not merge where a column would be computed twice', () => {
    expect(
      stages(
        trades
          .derive(t => ({ x: t.price.add(1) }))
          .derive(t => ({ y: t.x.mul(t.x) }))
          .select('y'),
      ),
    ).toEqual(['derive x = price + 1', 'derive y = x * x'])
  })
})

describe('sort and limit', () => {
  it('a sort under a limit keeps only the rows that are needed', () => {
    const top = (flow: Flow<any>) => planOf(flow).scan.flatMap(stage => (stage.kind === 'sort' ? [stage.top] : []))
    expect(top(trades.orderBy('price').limit(5, 2))).toEqual([7])
    expect(
      top(
        trades
          .orderBy('price')
          .derive(t => ({ x: t.price.add(1) }))
          .limit(5),
      ),
    ).toEqual([5])
    expect(
      top(
        trades
          .orderBy('price')
          .derive(t => ({ x: t.lots.add(1) }))
          .limit(5),
      ),
    ).toEqual([null])
    expect(top(trades.orderBy('price'))).toEqual([null])
  })
})

describe('aggregates', () => {
  it('share equal accumulators, and count rows for what is never null', () => {
    const flow = trades.groupBy('symbol').aggregate(t => ({
      a: sum(t.price).div(count()),
      b: sum(t.price),
      c: count(t.size),
      d: count(t.note),
      e: sum(t.price).where(t.size.gt(0)),
      f: sum(t.price).where(t.size.lt(1e300)),
    }))
    expect(stages(flow)).toEqual([
      'aggregate by symbol: #0 = sum(price), #1 = count(), #2 = count(note), #3 = sum(price) where size > 0, #4 = sum(price)',
      'results symbol, a = (#0 / float64(#1)) + 0, b = #0, c = #1, d = #2, e = #3, f = #4',
    ])
  })

  it('name their accumulators as no key is named', () => {
    const flow = trades
      .rename({ symbol: '#0' })
      .groupBy('#0')
      .aggregate(() => ({ '#1': count() }))
    expect(stages(flow)).toEqual(['rename #0 = symbol', 'aggregate by #0: #1 = count()', 'results #0, #1'])
  })
})

describe('unions', () => {
  const branches = (flow: Flow<any>) => planOf(flow).branches.map(({ stages }) => stages.length)

  it('built one onto another make rows fit once', () => {
    const price = trades.select('price')
    let flow: Flow<any> = price
    let chosen: Flow<any> = price
    for (let i = 0; i < 30; i++) {
      flow = flow.union(price)
      chosen = chosen.select('price').union(price)
    }
    const atOnce = branches(price.union(...Array.from({ length: 30 }, () => price)))
    expect(branches(flow)).toEqual(atOnce)
    expect(branches(chosen)).toEqual(atOnce)
  })

  it('make rows fit again where types are others, and once where only their order is', () => {
    const [once] = branches(trades.select('size').union(trades.select('size'))) as [number]
    const inner = trades.select('size').union(trades.select('size'))
    const wider = trades.select('lots').rename({ lots: 'size' })
    expect(Math.min(...branches(wider.union(inner)).slice(1))).toBeGreaterThan(once)
    const pair = trades.select('size', 'price')
    const turned = trades.select('price', 'size').union(pair.union(pair))
    expect(Object.keys(turned.schema ?? {})).toEqual(['price', 'size'])
    expect(branches(turned)[1]).toBe(branches(pair.union(pair))[0])
  })
})
