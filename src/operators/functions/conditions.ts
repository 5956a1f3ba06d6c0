/** Functions that choose among values, compiled: a part of lanes, loaded for the first plan that calls one. */
import type { DataType } from '../../columnar/type.js'
import type { CallNode } from '../../expressions/node.js'
import { and, andNot, count as countBits, filled, isTrue } from '../../kernels/bitmap.js'
import { select } from '../../kernels/conditions.js'
import type { Kernels } from '../../kernels/instance.js'
import type { LaneVector } from '../../kernels/lane-vector.js'
import type { Operand, Scalar } from '../../kernels/operand.js'
import { isScalar } from '../../kernels/scalar.js'
import type { LaneDictionary } from '../../kernels/text.js'
import type { OperatorContext } from '../build.js'
import type { CallInput, CompiledCall } from '../call.js'
import { createUnifiedText } from '../unified-text.js'

// Lent to those that put strings of several columns into one.
export { createUnifiedText }

export function compileCall(context: OperatorContext, node: CallNode, inputs: readonly CallInput[]): CompiledCall {
  return node.function === 'coalesce' ? compileCoalesce(context, node, inputs) : compileWhen(context, node, inputs)
}

/** A value is asked of the rows where all before it are null. */
function compileCoalesce(context: OperatorContext, node: CallNode, inputs: readonly CallInput[]): CompiledCall {
  const { k } = context
  const values = compileValues(context, node, inputs.length)
  const none: Scalar = { type: values.type, value: null }
  return {
    run(morsel, failures) {
      const { rowCount } = morsel
      const found: Operand[] = []
      const missing = () =>
        found.reduce(
          (bits, operand) => andNot(k, bits, validBits(k, operand, rowCount), rowCount),
          filled(k, true, rowCount),
        )
      for (const { forRows } of inputs) found.push(forRows(morsel, failures, missing) ?? none)
      const { operands, dictionary, constant } = values.of(found)
      return (
        constant ??
        operands.reduce((so, other) => {
          if (isScalar(so)) return so.value === null ? other : so
          if (so.validity === 0 || (isScalar(other) && other.value === null)) return so
          return select(k, so.validity, so, other, values.type, rowCount, dictionary)
        })
      )
    },
    free: values.free,
  }
}

/** A condition is asked of the rows for which none before it is true, a value of those for which its condition is the first that is; neither is computed where there are none. */
function compileWhen(context: OperatorContext, node: CallNode, inputs: readonly CallInput[]): CompiledCall {
  const { k } = context
  const count = inputs.length >> 1
  const conditions = inputs.slice(0, 2 * count).filter((_, i) => i % 2 === 0)
  const branches = inputs.filter((_, i) => i % 2 === 1 || i === 2 * count)
  const values = compileValues(context, node, branches.length)
  const none: Scalar = { type: values.type, value: null }
  return {
    run(morsel, failures) {
      const { rowCount } = morsel
      const masks: number[] = []
      /** Rows that no condition before this one has decided: all, some or none. */
      const undecided = [filled(k, true, rowCount)]
      /** Null where no row asks for it, or as `forRows` says. */
      const told = ({ forRows }: CallInput, rows: number): Operand | null =>
        rowCount > 0 && countBits(k, rows, rowCount) === 0 ? null : forRows(morsel, failures, () => rows)
      conditions.forEach((condition, i) => {
        const held = told(condition, undecided[i]) ?? none
        masks.push(isScalar(held) ? filled(k, held.value === true, rowCount) : isTrue(k, held))
        undecided.push(andNot(k, undecided[i], masks[i], rowCount))
      })
      const asked = branches.map((branch, i) =>
        told(branch, i === count ? undecided[count] : and(k, masks[i], undecided[i], rowCount)),
      )
      const { operands: given, dictionary } = values.of(asked.map(operand => operand ?? none))
      // For what is asked of no row any other will do, and there is one.
      const some = given[asked.findIndex(operand => operand !== null)]
      const operands = given.map((operand, i) => (asked[i] === null ? some : operand))
      // From the last to the first, so that of several that hold the first decides; all in one place, of however many there are.
      let chosen: LaneVector | null = null
      return masks.reduceRight<Operand>((otherwise, mask, i) => {
        chosen = select(k, mask, operands[i], otherwise, values.type, rowCount, dictionary, chosen)
        return chosen
      }, operands[count])
    },
    free: values.free,
  }
}

/** Bitmap of the rows where it is not null. */
const validBits = (k: Kernels, operand: Operand, rowCount: number): number => {
  if (isScalar(operand)) return filled(k, operand.value !== null, rowCount)
  return operand.validity === 0 ? filled(k, true, rowCount) : operand.validity
}

interface Values {
  readonly type: DataType
  /** Of strings, codes into `dictionary`. `constant`: they are constants, of which this is the first that is not null. */
  of(given: readonly Operand[]): {
    readonly operands: readonly Operand[]
    readonly dictionary: LaneDictionary | null
    readonly constant?: Operand
  }
  free?(): void
}

function compileValues(context: OperatorContext, node: CallNode, count: number): Values {
  const type = node.type as DataType
  const text = type.kind === 'utf8' ? createUnifiedText(context) : null
  return {
    type,
    of(operands) {
      if (operands.every(isScalar)) {
        const constant = operands.find(({ value }) => value !== null) ?? operands[0]
        if (text === null || count === 1) return { operands, dictionary: null, constant }
        return { ...text.unify(operands), constant }
      }
      return text?.unify(operands) ?? { operands, dictionary: null }
    },
    free: text?.free,
  }
}
