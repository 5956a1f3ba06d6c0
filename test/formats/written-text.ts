/** What the tests of writers share: batches from samples, all bytes of an encoder, and the text that each value is to have, the slow way. */
import { RecordBatch } from '../../src/columnar/record-batch.js'
import { fieldsOf, schemaOf } from '../../src/columnar/schema.js'
import type { DataType, SchemaShape, TimeUnit } from '../../src/columnar/type.js'
import type { BatchEncoder } from '../../src/formats/batch-encoder.js'
import { type Sample, vectorOf } from '../columnar/arbitraries.js'

export function batchOf(columns: Readonly<Record<string, Sample>>): RecordBatch {
  const schema = schemaOf(Object.keys(columns).map(name => ({ name, type: columns[name]!.type })))
  const names = fieldsOf(schema).map(({ name }) => name)
  const vectors = names.map(name => vectorOf(columns[name]!.type, columns[name]!.values, name))
  return new RecordBatch(schema, vectors, vectors[0]?.length ?? 0)
}

/** The whole file; batches cut at `ends`. Pieces are copied as they come, for the next one may be written over them. */
export function bytesOf(
  encoder: BatchEncoder,
  batch: RecordBatch,
  ends: readonly number[] = [batch.rowCount],
): Uint8Array {
  const pieces: Uint8Array[] = []
  const take = (all: Iterable<Uint8Array>) => {
    for (const piece of all) pieces.push(piece.slice())
  }
  take(encoder.header())
  let from = 0
  for (const end of ends) {
    take(encoder.batch(batch.slice(from, end)))
    if (end % 2 === 0) take(encoder.flush())
    from = end
  }
  take(encoder.footer())
  take(encoder.flush())
  return new Uint8Array(Buffer.concat(pieces))
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
export const textOf = (...given: Parameters<typeof bytesOf>): string => decoder.decode(bytesOf(...given))

/** A value of `toRows({ bigint: true })` as text, without quotes; a string as it is, its lone surrogates replaced. */
export function plainText(type: DataType, value: unknown): string {
  if (type.kind === 'utf8') return (value as string).replace(/\p{Surrogate}/gu, '\ufffd')
  if (type.kind === 'timestamp') return instant(value as bigint, type.unit as TimeUnit)
  if (type.kind === 'float32') return shortestFloat32(value as number)
  return Object.is(value, -0) ? '-0' : String(value)
}

const DIGITS: Record<TimeUnit, number> = { s: 0, ms: 3, us: 6, ns: 9 }

/** By `Date` where it reaches, by years of 400 where it does not. */
function instant(count: bigint, unit: TimeUnit): string {
  const perSecond = 10n ** BigInt(DIGITS[unit])
  const fraction = ((count % perSecond) + perSecond) % perSecond
  let second = (count - fraction) / perSecond
  const era = 146_097n * 86_400n
  let eras = 0n
  if (second > 8_000_000_000_000n || second < -8_000_000_000_000n) {
    eras = second / era
    second -= eras * era
  }
  const [, year, rest] = /^([+-]?\d+)(-\d\d-\d\dT\d\d:\d\d:\d\d)/.exec(new Date(Number(second) * 1000).toISOString())!
  const shifted = BigInt(year!.replace('+', '')) + eras * 400n
  const size = shifted < 0n ? -shifted : shifted
  const yearText =
    shifted >= 0n && shifted <= 9999n
      ? String(shifted).padStart(4, '0')
      : `${shifted < 0n ? '-' : '+'}${String(size).padStart(6, '0')}`
  const digits = DIGITS[unit] === 0 ? '' : `.${String(fraction).padStart(DIGITS[unit], '0')}`
  return `${yearText}${rest}${digits}Z`
}

export function shortestFloat32(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  if (Object.is(value, -0)) return '-0'
  for (let digits = 1; digits < 9; digits++) {
    const near = Number(value.toPrecision(digits))
    const isTie = near !== value && Math.fround(2 * near - value) === 2 * near - value
    if (Math.fround(near) === value && !isTie) return String(near)
  }
  return String(Number(value.toPrecision(9)))
}

export const isNullable = (schema: SchemaShape, name: string): boolean => (schema[name] as DataType).nullable
