/** Functions of strings, compiled: a part of lanes, loaded for the first plan that calls one. What they are is string-functions.ts's. */
import type { DataType } from '../../columnar/type.js'
import type { CallNode } from '../../expressions/node.js'
import { booleans } from '../../kernels/bitmap.js'
import { nullableIf } from '../../kernels/operand.js'
import { constant, isScalar } from '../../kernels/scalar.js'
import type { TextInput } from '../../kernels/strings.js'
import type { LaneDictionary } from '../../kernels/text.js'
import { createTextEntries, type TextSource } from '../../kernels/text-entries.js'
import type { OperatorContext } from '../build.js'
import type { CallInput, CompiledCall } from '../call.js'
import { textFunction } from '../string-functions.js'

export function compileCall(context: OperatorContext, node: CallNode, inputs: readonly CallInput[]): CompiledCall {
  const { k, dictionaries } = context
  const type = node.type as DataType
  let own: LaneDictionary | null = null
  const into = (): LaneDictionary => {
    own ??= dictionaries.create()
    return own
  }
  const letGo = () => {
    if (own !== null) dictionaries.release(own)
    own = null
  }
  const called = textFunction(k, node, into)
  const entries = createTextEntries(k, called, letGo)
  const constants = createConstants(context, called.constants)
  return {
    run(morsel, failures) {
      const { rowCount } = morsel
      // The first is always a column, so that there is one.
      const operands = inputs.map(({ operand, column }, i) => (i === 0 ? column : operand)(morsel, failures))
      const sources: TextSource[] = []
      for (const operand of operands) {
        const isNull = isScalar(operand) ? operand.value === null : operand.dictionary === null
        if (isNull) return constant(k, { type, value: null }, rowCount, type.kind === 'utf8' ? into() : null)
        sources.push(isScalar(operand) ? constants.of(String(operand.value)) : operand)
      }
      const { data, validity, failedRow } = entries.run([...sources, ...constants.given()], rowCount)
      failures.note(failedRow, node, called.refusal)
      if (type.kind === 'bool') return booleans(rowCount, data, validity)
      return {
        type: nullableIf(type, validity),
        length: rowCount,
        data,
        validity,
        dictionary: type.kind === 'utf8' ? into() : null,
        range: null,
      }
    },
    free() {
      entries.free()
      letGo()
      constants.free()
    },
  }
}

/** Strings that are the same for all rows, as inputs: interned once. */
function createConstants({ k, dictionaries }: OperatorContext, given: readonly string[]) {
  const known = new Map<string, TextInput>()
  let dictionary: LaneDictionary | null = null
  const blocks: number[] = []
  const of = (text: string): TextInput => {
    let input = known.get(text)
    if (input === undefined) {
      dictionary ??= dictionaries.create()
      const [code] = dictionary.internStrings([text])
      const codes = k.memory.allocate(4)
      blocks.push(codes)
      k.memory.u32[codes >>> 2] = code
      input = { dictionary, codes, step: 0 }
      known.set(text, input)
    }
    return input
  }
  return {
    of,
    given: () => given.map(of),
    free() {
      for (const block of blocks.splice(0)) k.memory.free(block)
      if (dictionary !== null) dictionaries.release(dictionary)
      dictionary = null
      known.clear()
    },
  }
}
