/** Conversions that users ask for, compiled: a part of lanes, loaded for the first plan that has one. */
import { type DataType, isFloat, typeName } from '../../columnar/type.js'
import type { CallNode } from '../../expressions/node.js'
import { bothValid } from '../../kernels/bitmap.js'
import { createTextParser, createTextWriter, type TextParser, textOf, valueAt } from '../../kernels/cast-text.js'
import { type Conversion, convert, firstUnfit } from '../../kernels/casts.js'
import type { Kernels } from '../../kernels/instance.js'
import type { LaneVector } from '../../kernels/lane-vector.js'
import { nullableIf } from '../../kernels/operand.js'
import type { LaneDictionary } from '../../kernels/text.js'
import type { OperatorContext } from '../build.js'
import type { CallInput, CompiledCall } from '../call.js'
import type { FailureReason } from '../compiled.js'

const REMEDY = 'write tryCast to have null in its place, or filter such rows out first'

export function compileCall(
  context: OperatorContext,
  node: CallNode,
  [{ column }]: readonly CallInput[],
): CompiledCall {
  const { k, dictionaries } = context
  const type = node.type as DataType
  let parser: TextParser | null = null
  let into: LaneDictionary | null = null
  let written: ReturnType<typeof createTextWriter> | null = null

  function converted(vector: LaneVector): Conversion {
    if (vector.type.kind === 'utf8') {
      if (type.kind === 'utf8') return { vector, fits: 0 }
      parser ??= createTextParser(k, type)
      return parser.convert(vector)
    }
    if (type.kind !== 'utf8') return convert(k, vector, type)
    into ??= dictionaries.create()
    written ??= createTextWriter(k, vector.type)
    return { vector: written.convert(vector, into), fits: 0 }
  }

  return {
    run(morsel, failures) {
      const given = column(morsel, failures)
      const { vector, fits } = converted(given)
      const { validity, length } = vector
      const row = fits === 0 ? -1 : firstUnfit(k, validity, fits, length)
      const isStrict = node.function === 'cast'
      if (row >= 0 && isStrict) failures.note(row, node, reasonOf(k, given, row, type, parser))
      const known = row >= 0 && !isStrict ? bothValid(k, validity, fits, length) : validity
      return { ...vector, type: nullableIf({ ...type, nullable: false }, known), validity: known }
    },
    free() {
      parser?.free()
      if (into !== null) dictionaries.release(into)
      into = null
      written = null
    },
  }
}

function reasonOf(
  k: Kernels,
  given: LaneVector,
  row: number,
  type: DataType,
  parser: TextParser | null,
): FailureReason {
  const { kind } = type
  const name = typeName({ ...type, nullable: false })
  const beyond = (what: string): FailureReason => ({
    code: isFloat(kind) || kind === 'bool' ? 'MR_INEXACT_VALUE' : 'MR_INTEGER_OVERFLOW',
    what: `${what} is beyond ${name}`,
    remedy: REMEDY,
  })
  if (given.type.kind === 'utf8') {
    const text = (given.dictionary as LaneDictionary).get(k.memory.u32[(given.data >>> 2) + row])
    const shown = JSON.stringify(text.length <= 60 ? text : `${text.slice(0, 60)}…`)
    const outcome = parser?.outcomeAt(given, row)
    if (outcome === 'none') return { code: 'MR_TYPE_MISMATCH', what: `${shown} is no ${name}`, remedy: REMEDY }
    if (kind !== 'timestamp') return beyond(shown)
    return {
      code: 'MR_INEXACT_VALUE',
      what: `${shown} is no ${name}: it is finer, or beyond its range`,
      remedy: REMEDY,
    }
  }
  const value = valueAt(k, given, row)
  if (!Number.isNaN(value)) return beyond(textOf(value, given.type))
  return { code: 'MR_INEXACT_VALUE', what: `NaN is no ${name}`, remedy: REMEDY }
}
