/** `hash`: XXH64 of a value, or under a key SipHash-2-4-128 in hexadecimal digits. */
import { int64, utf8 } from '../../columnar/type.js'
import type { Functions } from '../calls.js'
import { describe, mismatch, settle, withNull } from '../typing.js'

export const hashFunctions: Functions = {
  hash: {
    takes({ function: name, parameters }, [given], scope) {
      const input = settle(given, scope.operator)
      const { kind, nullable } = input.type
      if (kind === 'list' || kind === 'struct')
        throw mismatch(scope.operator, `${name} takes no lists: ${describe(input)}`)
      return { inputs: [input], type: withNull(parameters?.key === undefined ? int64() : utf8(), nullable) }
    },
  },
}
