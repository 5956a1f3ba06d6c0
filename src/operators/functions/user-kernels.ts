/** Calls of users' own kernels, compiled: a part of lanes, loaded for the first plan that calls one. */
import type { CallNode, UserKernelCall } from '../../expressions/node.js'
import { createUserKernel, type UserKernelModule } from '../../kernels/user-kernel.js'
import type { OperatorContext } from '../build.js'
import type { CallInput, CompiledCall } from '../call.js'

export function compileCall({ k }: OperatorContext, node: CallNode, inputs: readonly CallInput[]): CompiledCall {
  const { name, module, output } = node.kernel as UserKernelCall
  const kernel = createUserKernel(k, module as UserKernelModule)
  return {
    run(morsel, failures) {
      const columns = inputs.map(({ column }) => column(morsel, failures))
      const { vector, failedRow, thrown } = kernel.run(columns, morsel.rowCount, output)
      if (failedRow >= 0) failures.note(failedRow, node, thrown === null ? NO_VALUE : reasonOf(name, thrown))
      return vector
    },
  }
}

const NO_VALUE = {
  code: 'MR_USER_CODE_FAILED',
  what: 'the kernel has no value',
  remedy: 'filter such rows out first, or declare its output nullable and have it say null',
} as const

const reasonOf = (name: string, thrown: unknown) =>
  ({
    code: 'MR_USER_CODE_FAILED',
    what: `the kernel failed on this row or one of those after it: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
    remedy: `have ${name} make do with all rows, or tell which it fails of`,
  }) as const
