/** Users' own kernels: one function, whose calls say which it is. */
import { typeName } from '../../columnar/type.js'
import type { Functions } from '../calls.js'
import type { UserKernelCall } from '../node.js'
import { castTo, describe, literalTyped, mismatch, settle, withNull } from '../typing.js'

export const userKernelFunctions: Functions = {
  kernel: {
    takes({ kernel }, inputs, scope) {
      const { name, inputs: types, output } = kernel as UserKernelCall
      const taken = inputs.map((given, i) => {
        const type = types[i]
        if (given.node.op === 'literal' && given.node.value === null) return literalTyped(null, type)
        const input = settle(given, scope.operator)
        try {
          return castTo(input, withNull(type, input.type.nullable), scope.operator)
        } catch {
          throw mismatch(
            scope.operator,
            `${name} takes ${typeName(type)} as its input ${i + 1}, not ${describe(input)}; cast it`,
            input.node.op === 'column' ? input.node.name : undefined,
          )
        }
      })
      return { inputs: taken, type: withNull(output, output.nullable || taken.some(({ type }) => type.nullable)) }
    },
    fails: true,
  },
}
