/** Rows from NDJSON and from an array of records, by the slow way: every record a tree (json-text.ts), every value looked up and converted by itself. */
import { illFormedAt, JsonFault, type JsonNode, readJson } from './json-text.js'
import type { ModelType, Value } from './value.js'

export interface JsonModelShape {
  readonly paths: readonly (readonly string[])[]
  readonly types: readonly ModelType[]
  readonly layout: 'lines' | 'array'
  readonly fatal: boolean
}

export interface ModelBadRow {
  readonly row: number
  readonly byteOffset: number
  /** Of the column, or -1. */
  readonly column: number
  readonly code: string
  readonly text: string
}

export interface JsonModelRows {
  readonly rows: readonly { readonly place: number; readonly values: readonly Value[] }[]
  readonly bad: readonly ModelBadRow[]
  /** Strings of good rows that had to be repaired. */
  readonly illFormed: number
}

class Misfit extends Error {
  readonly code: string
  readonly at: number
  constructor(code: string, at: number) {
    super(code)
    this.code = code
    this.at = at
  }
}

/** All rows of bytes that are whole. */
export function jsonRows(bytes: Uint8Array, shape: JsonModelShape): JsonModelRows {
  const text = Buffer.from(bytes).toString('latin1')
  const repaired: number[] = []
  const found = shape.layout === 'lines' ? rowsOfLines(text, shape, repaired) : rowsOfArray(text, shape, repaired)
  return { ...found, illFormed: shape.fatal ? 0 : repaired.reduce((sum, count) => sum + count, 0) }
}

type Found = Omit<JsonModelRows, 'illFormed'>

/** Of the strings that a value has, those with ill-formed bytes or halves of surrogate pairs; text that a value is kept as has its escapes. */
function repairsOf(node: JsonNode | undefined, type: ModelType, text: string, halves: readonly number[]): number {
  if (node === undefined) return 0
  if (type.kind === 'list' && node.kind === 'array')
    return node.items.reduce((sum, item) => sum + repairsOf(item, type.item!, text, halves), 0)
  if (type.kind !== 'utf8' || node.kind === 'null') return 0
  const raw = text.slice(node.from, node.to)
  const isHalf = node.kind === 'string' && halves.some(at => at >= node.from && at < node.to)
  return Number(isHalf || illFormedAt(raw) < raw.length)
}

function rowsOfLines(text: string, shape: JsonModelShape, repaired: number[]): Found {
  const rows: { place: number; values: Value[] }[] = []
  const bad: ModelBadRow[] = []
  let from = 0
  for (const line of text.split('\n')) {
    if (line.replace(/[ \t\r]/g, '') !== '') {
      const row = rows.length + bad.length
      try {
        const { node, end, halves } = readJson(line, 0, ' \t\r')
        if (node.kind !== 'object') throw new JsonFault(node.from)
        if (end < line.length) throw new JsonFault(end)
        rows.push({ place: row, values: convert(node, line, halves, shape) })
        for (const [i, path] of shape.paths.entries())
          repaired.push(repairsOf(find(node, path), shape.types[i], line, halves))
      } catch (error) {
        // What begins as no object is no record, whatever else is wrong with it.
        const first = line.search(/[^ \t\r]/)
        bad.push(badRow(line[first] === '{' ? error : new JsonFault(first), row, from, line))
      }
    }
    from += line.length + 1
  }
  return { rows, bad }
}

function rowsOfArray(text: string, shape: JsonModelShape, repaired: number[]): Found {
  const rows: { place: number; values: Value[] }[] = []
  const bad: ModelBadRow[] = []
  let at = 0
  let state: 'first' | 'behind comma' | 'closed' = 'first'
  for (;;) {
    const from = at
    const first = text.slice(at).search(/[^ \t\r\n]/)
    const isDone = first < 0
    at = isDone ? text.length : at + first
    if (isDone && state === 'closed') return { rows, bad }
    const row = rows.length + bad.length
    try {
      if (isDone || state === 'closed') throw new JsonFault(at)
      if (text[at] === ']') {
        if (state === 'behind comma') throw new JsonFault(at)
        state = 'closed'
        at++
        continue
      }
      if (text[at] !== '{') throw new JsonFault(at)
      const { node, end, halves } = readJson(text, at, ' \t\r\n')
      if (end >= text.length || !',]'.includes(text[end])) throw new JsonFault(end)
      rows.push({ place: row, values: convert(node, text, halves, shape, from) })
      for (const [i, path] of shape.paths.entries())
        repaired.push(repairsOf(find(node, path), shape.types[i], text, halves))
      state = text[end] === ',' ? 'behind comma' : 'closed'
      at = end + 1
    } catch (error) {
      const item: { to: number; isLost: boolean } =
        state === 'closed' ? { to: at + 1, isLost: true } : itemEnd(text, from)
      bad.push(badRow(error, row, 0, text, from, item.to))
      if (item.isLost) return { rows, bad }
      state = text[item.to] === ',' ? 'behind comma' : 'closed'
      at = item.to + 1
    }
  }
}

/** The comma or bracket behind an item whose brackets are in order; else behind where that can no longer be. */
function itemEnd(text: string, at: number): { to: number; isLost: boolean } {
  const open: string[] = []
  for (; at < text.length; at++) {
    const character = text[at]
    if (character === '"') {
      at++
      while (at < text.length && text[at] >= ' ' && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
      if (at < text.length && text[at] !== '"') return { to: at + 1, isLost: true }
    } else if (character === '{' || character === '[') open.push(character)
    else if (open.length === 0 && (character === ',' || character === ']')) return { to: at, isLost: false }
    else if (character === '}' || character === ']') {
      if (open.pop() !== (character === '}' ? '{' : '[')) return { to: at + 1, isLost: true }
    }
  }
  return { to: text.length, isLost: true }
}

function badRow(error: unknown, row: number, base: number, text: string, from = 0, to = text.length): ModelBadRow {
  const whole = text.slice(from, to).replace(/^[\0-\x20]+|[\0-\x20]+$/g, '')
  const raw = Buffer.from(whole, 'latin1')
    .toString('utf8')
    .slice(0, 200)
    .replace(/[\ud800-\udbff]$/, '')
  if (error instanceof JsonFault)
    return { row, byteOffset: base + error.at, column: -1, code: 'MR_FORMAT_ERROR', text: raw }
  if (error instanceof ColumnMisfit)
    return { row, byteOffset: base + error.at, column: error.column, code: error.code, text: raw }
  throw error
}

class ColumnMisfit extends Misfit {
  readonly column: number
  constructor(column: number, { code, at }: Misfit) {
    super(code, at)
    this.column = column
  }
}

/** @param from where what is checked to be UTF-8 begins. */
function convert(record: JsonNode, text: string, halves: readonly number[], shape: JsonModelShape, from = 0): Value[] {
  if (shape.fatal) {
    const ill = from + illFormedAt(text.slice(from, record.to))
    const at = Math.min(ill, halves[0] ?? ill)
    if (at < record.to) throw new JsonFault(at)
  }
  const values: Value[] = []
  const misfits: ColumnMisfit[] = []
  for (const [column, path] of shape.paths.entries()) {
    try {
      values.push(valueAs(find(record, path), shape.types[column], text, record.to - 1))
    } catch (error) {
      if (!(error instanceof Misfit)) throw error
      misfits.push(new ColumnMisfit(column, error))
    }
  }
  if (misfits.length === 0) return values
  throw misfits.reduce((first, next) => (next.at < first.at ? next : first))
}

/** The node at the end of a path; undefined where there is none. */
function find(record: JsonNode, path: readonly string[]): JsonNode | undefined {
  let node: JsonNode | undefined = record
  for (const key of path) {
    if (node === undefined || node.kind === 'null') return node
    if (node.kind !== 'object') throw new Misfit('MR_TYPE_MISMATCH', node.from)
    const wanted = Buffer.from(key).toString()
    node = node.members.filter(member => member.key === wanted).at(-1)?.value
  }
  return node
}

function valueAs(node: JsonNode | undefined, type: ModelType, text: string, end: number): Value {
  if (node === undefined || node.kind === 'null') {
    if (!type.nullable) throw new Misfit('MR_TYPE_MISMATCH', node?.from ?? end)
    return null
  }
  const misfit = (code = 'MR_TYPE_MISMATCH') => new Misfit(code, node.from)
  const raw = text.slice(node.from, node.to)
  if (type.kind === 'utf8') return node.kind === 'string' ? node.text : Buffer.from(raw, 'latin1').toString('utf8')
  if (type.kind === 'list') {
    if (node.kind !== 'array') throw misfit()
    return node.items.map(item => valueAs(item, type.item!, text, end))
  }
  if (type.kind === 'bool') {
    if (node.kind !== 'bool') throw misfit()
    return raw === 'true'
  }
  if (node.kind === 'string' && type.kind === 'date') return dayOf(node.text, misfit)
  if (node.kind === 'string' && type.kind === 'timestamp') return instantOf(node.text, type.unit ?? 'ms', misfit)
  if (node.kind !== 'number') throw misfit()
  if (type.kind === 'float64') return Number(raw)
  if (type.kind === 'float32') return float32Of(raw)
  const whole = wholeOf(raw)
  if (whole === null) throw misfit()
  const bits = type.kind === 'date' ? 32n : type.kind === 'timestamp' ? 64n : BigInt(type.kind.replace(/\D/g, ''))
  const isUnsigned = type.kind.startsWith('u')
  const least = isUnsigned ? 0n : -(2n ** (bits - 1n))
  const most = isUnsigned ? 2n ** bits - 1n : 2n ** (bits - 1n) - 1n
  if (whole < least || whole > most) throw misfit('MR_INTEGER_OVERFLOW')
  return whole
}

/** The float32 nearest to a JSON number, which is not always the one nearest to the nearest float64. */
function float32Of(raw: string): number {
  const near = Math.fround(Number(raw))
  const bits = new Uint32Array(new Float32Array([near]).buffer)
  // Of its neighbours too the nearest, and of two that are as near the even one.
  const candidates = [bits[0], bits[0] - 1, bits[0] + 1].map(each => new Float32Array(Uint32Array.of(each).buffer)[0])
  if (!Number.isFinite(near) || near === 0) return near
  const [digits, power] = decimalOf(raw)
  const distance = (value: number) => {
    // All in units of 2^-200 * 10^-400, of which each is a whole number.
    const scaled = BigInt(value * 2 ** 200) * 10n ** 400n
    const wanted = digits * 2n ** 200n * 10n ** BigInt(400 + power)
    return scaled > wanted ? scaled - wanted : wanted - scaled
  }
  return candidates.filter(Number.isFinite).reduce((best, next) => {
    const [a, b] = [distance(best), distance(next)]
    const isEven = (new Uint32Array(new Float32Array([next]).buffer)[0] & 1) === 0
    return b < a || (b === a && isEven) ? next : best
  })
}

/** A JSON number as digits times a power of ten. */
function decimalOf(raw: string): [digits: bigint, power: number] {
  const [, sign, whole, part = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(raw)!
  return [BigInt(`${sign}${whole}${part}`), Number(exponent) - part.length]
}

/** The exact integer that a JSON number is, or null; for very large ones some very large integer. */
function wholeOf(raw: string): bigint | null {
  const [, sign, whole, part = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(raw)!
  const digits = (whole + part).replace(/0+$/, '')
  if (/^0*$/.test(digits)) return 0n
  const power = BigInt(exponent) - BigInt(part.length) + BigInt(whole.length + part.length - digits.length)
  if (power < 0n) return null
  const value = BigInt(digits) * 10n ** (power > 400n ? 400n : power)
  return sign === '-' ? -value : value
}

function dayOf(text: string, misfit: (code?: string) => Misfit): bigint {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text)
  if (match === null) throw misfit()
  return daysFrom(match, misfit)
}

function daysFrom(match: readonly string[], misfit: (code?: string) => Misfit): bigint {
  const [year, month, day] = match.slice(1, 4).map(Number)
  const date = new Date(0)
  date.setUTCFullYear(year!, month! - 1, day!)
  if (date.getUTCMonth() !== month! - 1 || date.getUTCDate() !== day! || month === 0) throw misfit()
  return BigInt(date.getTime() / 86_400_000)
}

const TICKS = { s: 0, ms: 3, us: 6, ns: 9 } as const

function instantOf(text: string, unit: 's' | 'ms' | 'us' | 'ns', misfit: (code?: string) => Misfit): bigint {
  const match =
    /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:Z|([+-])(\d\d)(?::(\d\d))?)?)?$/.exec(text)
  if (match === null) throw misfit()
  const days = daysFrom(match, misfit)
  const [, , , , hour = '0', minute = '0', second = '0', fraction = '', sign = '+', zoneHour = '0', zoneMinute = '0'] =
    match
  if (
    Number(hour) > 23 ||
    Number(minute) > 59 ||
    Number(second) > 59 ||
    Number(zoneHour) > 23 ||
    Number(zoneMinute) > 59
  )
    throw misfit()
  const offset = (BigInt(zoneHour) * 60n + BigInt(zoneMinute)) * (sign === '-' ? -60n : 60n)
  const seconds = days * 86_400n + BigInt(hour) * 3600n + BigInt(minute) * 60n + BigInt(second) - offset
  const places = TICKS[unit]
  if (/[1-9]/.test(fraction.slice(places))) throw misfit('MR_INEXACT_VALUE')
  const ticks = seconds * 10n ** BigInt(places) + BigInt(fraction.slice(0, places).padEnd(places, '0') || '0')
  if (ticks < -(2n ** 63n) || ticks >= 2n ** 63n) throw misfit('MR_INEXACT_VALUE')
  return ticks
}
