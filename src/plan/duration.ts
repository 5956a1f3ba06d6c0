/** Durations as users write them, '5m' or '-1.5h', in the unit of a column of times. */
import { type DataType, typeName } from '../columnar/type.js'
import { MillraceError, quote } from '../errors.js'

const NANOSECONDS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
  w: 604_800_000_000_000n,
}

/** @throws MillraceError `MR_INVALID_OPTION` for what is no duration, or no whole number of the column's unit */
export function durationIn(text: string, type: DataType, column: string): bigint {
  const match = /^(-?)(\d+)(?:\.(\d+))?\s?(ns|us|ms|s|m|h|d|w)$/.exec(text.trim())
  const refuse = (what: string) =>
    new MillraceError('MR_INVALID_OPTION', `over: ${quote(text)} ${what}`, { operator: 'over', column })
  if (match === null) throw refuse("is no duration; write one such as '5m', '-1.5h' or '7d' (ns us ms s m h d w)")
  const [, sign, whole, fraction = '', unit] = match as unknown as [string, string, string, string | undefined, string]
  const scale = 10n ** BigInt(fraction.length)
  const nanoseconds = BigInt(whole + fraction) * (NANOSECONDS[unit] as bigint)
  const per = scale * (NANOSECONDS[type.kind === 'date' ? 'd' : (type.unit as string)] as bigint)
  if (nanoseconds % per !== 0n) throw refuse(`is no whole number of what ${quote(column)}, a ${typeName(type)}, counts`)
  return (sign === '-' ? -1n : 1n) * (nanoseconds / per)
}
