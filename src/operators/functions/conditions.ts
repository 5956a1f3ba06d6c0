/** Functions that choose among values, compiled: a part of lanes, loaded for the first plan that calls one. */
import type { DataType } from '../../columnar/type.js'
import type { CallNode } from '../../expressions/node.js'
import { isTrue } from '../../kernels/bitmap.js'
import { select } from '../../kernels/conditions.js'
import type { Operand } from '../../kernels/operand.js'
import { isScalar } from '../../kernels/scalar.js'
import type { LaneDictionary } from '../../kernels/text.js'
import type { OperatorContext } from '../build.js'
import type { CallInput, CompiledCall } from '../call.js'
import type { Failures } from '../compiled.js'
import type { Morsel } from '../operator.js'
import { createUnifiedText } from '../unified-text.js'

// Lent to those that put strings of several columns into one.
export { createUnifiedText }

export function compileCall(context: OperatorContext, node: CallNode, inputs: readonly CallInput[]): CompiledCall {
  return node.function === 'coalesce' ? compileCoalesce(context, node, inputs) : compileWhen(context, node, inputs)
}

function compileCoalesce(context: OperatorContext, node: CallNode, inputs: readonly CallInput[]): CompiledCall {
  const { k } = context
  const values = compileValues(context, node, inputs)
  return {
    run(morsel, failures) {
      const { operands, dictionary, constant } = values.of(morsel, failures)
      return (
        constant ??
        operands.reduce((so, other) => {
          if (isScalar(so)) return so.value === null ? other : so
          if (so.validity === 0 || (isScalar(other) && other.value === null)) return so
          return select(k, so.validity, so, other, values.type, morsel.rowCount, dictionary)
        })
      )
    },
    free: values.free,
  }
}

function compileWhen(context: OperatorContext, node: CallNode, inputs: readonly CallInput[]): CompiledCall {
  const { k } = context
  const count = inputs.length >> 1
  const conditions = inputs.slice(0, 2 * count).filter((_, i) => i % 2 === 0)
  const branches = inputs.filter((_, i) => i % 2 === 1 || i === 2 * count)
  const values = compileValues(context, node, branches)
  return {
    run(morsel, failures) {
      const masks = conditions.map(({ column }) => isTrue(k, column(morsel, failures)))
      const { operands, dictionary } = values.of(morsel, failures)
      // From the last to the first, so that of several that hold the first decides.
      return masks.reduceRight<Operand>(
        (otherwise, mask, i) => select(k, mask, operands[i], otherwise, values.type, morsel.rowCount, dictionary),
        operands[count],
      )
    },
    free: values.free,
  }
}

interface Values {
  readonly type: DataType
  /** Of strings, codes into `dictionary`. `constant`: they are constants, of which this is the first that is not null. */
  of(
    morsel: Morsel,
    failures: Failures,
  ): { readonly operands: readonly Operand[]; readonly dictionary: LaneDictionary | null; readonly constant?: Operand }
  free?(): void
}

function compileValues(context: OperatorContext, node: CallNode, inputs: readonly CallInput[]): Values {
  const type = node.type as DataType
  const text = type.kind === 'utf8' ? createUnifiedText(context) : null
  return {
    type,
    of(morsel, failures) {
      const operands = inputs.map(({ operand }) => operand(morsel, failures))
      if (operands.every(isScalar)) {
        const constant = operands.find(({ value }) => value !== null) ?? operands[0]
        if (text === null || inputs.length === 1) return { operands, dictionary: null, constant }
        return { ...text.unify(operands), constant }
      }
      return text?.unify(operands) ?? { operands, dictionary: null }
    },
    free: text?.free,
  }
}
