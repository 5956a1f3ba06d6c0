/**
 * How the time that a regular expression takes may grow with the length of a string. Engines that backtrack, as JavaScript's do, try one way to match after
 * the other; where the number of ways grows exponentially a pattern runs for ever, and is refused; where it grows as a power, longer strings are.
 *
 * The pattern is made an automaton without empty steps (Glushkov's: a state a character of the pattern). It is exponentially ambiguous where two ways lead
 * from a state back to it over the same text, and ambiguous to degree d where d + 1 loops follow each other, of which each two are joined by a text over which the first returns to itself, leads
 * to the second, and the second returns to itself (A. Weber and H. Seidl, "On the degree of ambiguity of finite automata", 1991). That a match may begin
 * anywhere is a loop before all others.
 */
import { MillraceError, quote } from '../../errors.js'
import { type CharSet, type PatternNode, parsePattern } from './pattern-tree.js'

/** Characters of a pattern, bounded repetitions written out, and steps that may be taken to look at it. */
const MOST_STATES = 400
const MOST_STEPS = 4_000_000
/** A repetition of more is taken for one without end. */
const FEW_TIMES = 10
/** Ways that may be tried for one string. */
const MOST_TRIES = 1e9
/** Ways that are not counted, through what is repeated a few times: so many no pattern has by the way. */
const FEW_WAYS = 1000
const EVERYTHING: CharSet = (1n << 256n) - 1n

interface Automaton {
  readonly sets: CharSet[]
  /** By state: those that may follow, and of these the ones to which several ways lead. */
  readonly next: Set<number>[]
  readonly twice: Set<number>[]
}

/**
 * UTF-16 units of the longest string that the pattern may be asked of.
 * @throws MillraceError `MR_INVALID_OPTION` for one that may take for ever, or that is too large to tell.
 */
export function longestString(source: string, flags: string, operator: string): number {
  const refuse = (reason: string) =>
    new MillraceError('MR_INVALID_OPTION', `${operator}: ${quote(source)} ${reason}`, { operator })
  const work = { steps: 0, ways: 1 }
  const degree = degreeOf(parsePattern(source, flags, operator), true, work, refuse)
  const { ways } = work
  if (ways > MOST_TRIES) {
    throw refuse('may match the same text in too many ways; write what is there a few times so that there are fewer')
  }
  if (degree === 0 || (degree === 1 && ways === 1)) return Infinity
  let tries = MOST_TRIES / ways
  for (let i = 2; i <= degree; i++) tries *= i
  return Math.floor(tries ** (1 / degree))
}

type Refuse = (reason: string) => MillraceError

interface Work {
  steps: number
  /** Over one text, whatever its length: the power is for that. */
  ways: number
}

/** The power of the length that time may grow by. */
function degreeOf(pattern: PatternNode, isSearch: boolean, work: Work, refuse: Refuse): number {
  const automaton: Automaton = { sets: [], next: [], twice: [] }
  const looks: PatternNode[] = []
  const built = build(pattern, automaton, looks, 1, refuse)
  let { first } = built
  if (isSearch && !startsAtStart(pattern)) {
    const search = stateOf(automaton, EVERYTHING, refuse)
    for (const state of [search, ...first]) automaton.next[search].add(state)
    first = [search, ...first]
  }
  const reach = reachable(automaton)
  const loops = components(automaton, reach)
  for (const loop of loops) {
    if (isExponential(automaton, loop, work)) {
      throw refuse(
        'may take a time that grows exponentially with a string: what is repeated can match the same text in two ways; write it so that there is one',
      )
    }
    if (work.steps > MOST_STEPS) throw refuse('is too large for its running time to be told; write a simpler one')
  }
  const own = longestChain(automaton, loops, reach, work)
  work.ways *= waysThrough(automaton, first, reach, work)
  const inside = looks.map(look => degreeOf(look, false, work, refuse))
  return own + Math.max(0, ...inside)
}

interface Built {
  readonly isEmpty: boolean
  readonly first: readonly number[]
  readonly last: readonly number[]
}

const EMPTY: Built = { isEmpty: true, first: [], last: [] }

function stateOf({ sets, next, twice }: Automaton, set: CharSet, refuse: Refuse): number {
  if (sets.length >= MOST_STATES) throw refuse('is too large for its running time to be told; write a simpler one')
  sets.push(set)
  next.push(new Set())
  twice.push(new Set())
  return sets.length - 1
}

/** @param times how often all of it is written out already. */
function build(node: PatternNode, automaton: Automaton, looks: PatternNode[], times: number, refuse: Refuse): Built {
  const inner = (child: PatternNode, more = 1) => build(child, automaton, looks, times * more, refuse)
  switch (node.kind) {
    case 'start':
      return EMPTY
    case 'look':
      looks.push(node.body)
      return EMPTY
    case 'char': {
      const state = stateOf(automaton, node.set, refuse)
      return { isEmpty: false, first: [state], last: [state] }
    }
    case 'choice': {
      const items = node.items.map(item => inner(item))
      return {
        isEmpty: items.some(({ isEmpty }) => isEmpty),
        first: items.flatMap(({ first }) => first),
        last: items.flatMap(({ last }) => last),
      }
    }
    case 'sequence':
      return node.items.reduce((so, item) => join(automaton, so, inner(item)), EMPTY)
    case 'repeat': {
      const { body, least, most } = node
      if (most === 0) return EMPTY
      if (most === 1) {
        const once = inner(body)
        return least === 0 ? { ...once, isEmpty: true } : once
      }
      if (most * times >= FEW_TIMES) {
        const looped = inner(body)
        connect(automaton, looped.last, looped.first)
        // So many times, of which each may be of nothing: which of them are is free.
        if (looped.isEmpty && least > 1) connect(automaton, looped.last, looped.first)
        return least === 0 ? { ...looped, isEmpty: true } : looped
      }
      let built = EMPTY
      for (let i = most; i > 0; i--) {
        // From the last on, each with all behind it: x{1,3} is x(x(x)?)?.
        const one = join(automaton, inner(body, most), built)
        built = i > least ? { ...one, isEmpty: true } : one
      }
      return built
    }
  }
}

function join(automaton: Automaton, a: Built, b: Built): Built {
  connect(automaton, a.last, b.first)
  return {
    isEmpty: a.isEmpty && b.isEmpty,
    first: a.isEmpty ? [...a.first, ...b.first] : a.first,
    last: b.isEmpty ? [...a.last, ...b.last] : b.last,
  }
}

function connect({ next, twice }: Automaton, from: readonly number[], to: readonly number[]): void {
  for (const a of from) for (const b of to) (next[a].has(b) ? twice : next)[a].add(b)
}

function startsAtStart(node: PatternNode): boolean {
  if (node.kind === 'start') return true
  if (node.kind === 'choice') return node.items.every(startsAtStart)
  return node.kind === 'sequence' && node.items.length > 0 && startsAtStart(node.items[0])
}

/** By state: all that can be come to from it. */
function reachable({ next }: Automaton): readonly ReadonlySet<number>[] {
  return next.map(direct => {
    const reached = new Set(direct)
    for (const state of reached) for (const further of next[state]) reached.add(further)
    return reached
  })
}

/** Loops: states that can be come to from each other. */
function components({ next }: Automaton, reach: readonly ReadonlySet<number>[]): number[][] {
  const loops: number[][] = []
  const seen = new Set<number>()
  for (let state = 0; state < next.length; state++) {
    if (seen.has(state) || !reach[state].has(state)) continue
    const loop = [...reach[state]].filter(other => reach[other].has(state))
    for (const each of loop) seen.add(each)
    loops.push(loop)
  }
  return loops
}

/** Whether two different ways lead from a state of the loop back to it over the same text. */
function isExponential({ sets, next, twice }: Automaton, loop: readonly number[], work: Work): boolean {
  const within = new Set(loop)
  if (loop.some(state => [...twice[state]].some(other => within.has(other)))) return true
  const inside = (state: number) => [...next[state]].filter(other => within.has(other))
  const step = ([a, b]: readonly [number, number]): (readonly [number, number])[] =>
    inside(a).flatMap(x => inside(b).flatMap(y => (sets[x] & sets[y] ? [[x, y] as const] : [])))
  const key = ([a, b]: readonly [number, number]) => a * MOST_STATES + b
  /** Pairs come to from pairs of the same state, and how; then those from which one comes back. */
  const from = new Map<number, (readonly [number, number])[]>()
  const reached = new Map(loop.map(state => [key([state, state]), [state, state] as const]))
  for (const [, pair] of reached) {
    for (const other of step(pair)) {
      if (++work.steps > MOST_STEPS) return false
      const sources = from.get(key(other))
      if (sources === undefined) from.set(key(other), [pair])
      else sources.push(pair)
      if (!reached.has(key(other))) reached.set(key(other), other)
    }
  }
  const back = new Set<number>()
  const queue = loop.map(state => [state, state] as const) as (readonly [number, number])[]
  for (const pair of queue) {
    for (const source of from.get(key(pair)) ?? []) {
      if (back.has(key(source))) continue
      back.add(key(source))
      queue.push(source)
    }
  }
  // It must be one and the same state that one comes from and back to; in a loop that is all the same, for one more round leads from any to any.
  return [...reached.values()].some(pair => pair[0] !== pair[1] && back.has(key(pair)))
}

/** How many loops follow each other, each joined to the next by a text over which both also return to themselves. */
function longestChain(
  automaton: Automaton,
  loops: readonly (readonly number[])[],
  reach: readonly ReadonlySet<number>[],
  work: Work,
): number {
  const lengths = new Map<number, number>()
  const follows = (a: number, b: number) => a !== b && reach[loops[a][0]].has(loops[b][0])
  const length = (index: number): number => {
    let known = lengths.get(index)
    if (known === undefined) {
      const others = loops.map((_, other) => other).filter(other => follows(index, other))
      known =
        1 +
        Math.max(
          0,
          ...others.filter(other => areJoined(automaton, loops[index], loops[other], reach, work)).map(length),
        )
      lengths.set(index, known)
    }
    return known
  }
  return Math.max(0, ...loops.map((_, index) => length(index)))
}

/** Whether a text leads from p to p, from p to q and from q to q, of any p of the first loop and q of the second; yes where that takes too long to tell. */
function areJoined(
  { sets, next }: Automaton,
  first: readonly number[],
  second: readonly number[],
  reach: readonly ReadonlySet<number>[],
  work: Work,
): boolean {
  const [own, other] = [new Set(first), new Set(second)]
  for (const p of first) {
    for (const q of second) {
      const target = [p, q, q].join()
      const seen = new Set<string>()
      const queue = [[p, p, q] as const]
      for (const [a, b, c] of queue) {
        for (const x of next[a]) {
          if (!own.has(x)) continue
          for (const z of next[c]) {
            const common = sets[x] & sets[z]
            if (!other.has(z) || common === 0n) continue
            for (const y of next[b]) {
              if (++work.steps > MOST_STEPS) return true
              if (!(common & sets[y]) || !(y === q || reach[y].has(q))) continue
              const found = [x, y, z].join()
              if (found === target) return true
              if (seen.has(found)) continue
              seen.add(found)
              queue.push([x, y, z])
            }
          }
        }
      }
    }
  }
  return false
}

/**
 * How many ways lead over one text to all states at most, those within loops apart: of states before another one only those add up to which the same text
 * leads. Where that takes too long to tell, any may. 1 where they are few.
 */
function waysThrough(
  { sets, next, twice }: Automaton,
  first: readonly number[],
  reach: readonly ReadonlySet<number>[],
  work: Work,
): number {
  const pairs = new Map<number, readonly [number, number]>()
  const key = (a: number, b: number) => a * MOST_STATES + b
  const meet = (some: Iterable<number>, others: Iterable<number>) => {
    for (const a of some) {
      for (const b of others) {
        work.steps++
        if (sets[a] & sets[b] && !pairs.has(key(a, b))) pairs.set(key(a, b), [a, b])
      }
    }
  }
  meet(first, first)
  for (const [, [a, b]] of pairs) {
    if (work.steps > MOST_STEPS) break
    meet(next[a], next[b])
  }
  const areTogether = (a: number, b: number) => work.steps > MOST_STEPS || pairs.has(key(a, b))
  /** Of states the most that add up. */
  const most = (states: Iterable<number>, waysOf: (state: number) => number): number => {
    const left = new Set(states)
    let ways = 0
    for (const state of left) {
      const group = new Set([state])
      let sum = 0
      for (const one of group) {
        left.delete(one)
        sum += waysOf(one)
        for (const other of left) if (areTogether(one, other)) group.add(other)
      }
      ways = Math.max(ways, sum)
    }
    return ways
  }
  const isFirst = new Set(first)
  const ways = new Map<number, number>()
  let all = 0
  // What leads to others has more behind it, with itself: those before come first, and the states of a loop together.
  const size = (state: number) => reach[state].size + (reach[state].has(state) ? 0 : 1)
  const order = [...sets.keys()].sort((a, b) => size(b) - size(a))
  for (const state of order) {
    if (ways.has(state)) continue
    const loop = new Set([state, ...[...reach[state]].filter(other => reach[other].has(state))])
    const into = (one: number): number => {
      const before = order.filter(other => !loop.has(other) && next[other].has(one))
      const led = most(before, other => (ways.get(other) as number) * (twice[other].has(one) ? 2 : 1))
      return Math.max(led, isFirst.has(one) ? 1 : 0)
    }
    const own = most(loop, into)
    for (const one of loop) ways.set(one, own)
    all += own * loop.size
  }
  // Each of them at as many places of the text, at most, as there are states.
  return all > FEW_WAYS ? all * sets.length : 1
}
