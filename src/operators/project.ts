/** `select`, `drop`, `rename` and `derive`: each output column is an input column as it is, or an expression evaluated. */
import type { SchemaShape } from '../columnar/type.js'
import type { Expression } from '../expressions/node.js'
import type { Stage } from '../plan/physical.js'
import type { OperatorContext } from './build.js'
import { compileExpression, Failures, shareParts } from './compiled.js'
import type { Transform } from './operator.js'

export function createProject(
  context: OperatorContext,
  stage: Stage & { kind: 'project' },
  input: SchemaShape,
): Transform {
  // In the schema's order, which is not always the verb's: JavaScript puts integer-like names first.
  const names = Object.keys(stage.output)
  const given = new Map(stage.columns.map(({ name, expression }) => [name, expression]))
  const expressions = names.map(name => given.get(name) as Expression)
  const compile = () => {
    const shared = shareParts(expressions)
    return expressions.map(expression => compileExpression(context, expression, input, shared))
  }
  let columns = compile()
  const types = names.map(name => stage.output[name])
  return {
    label: stage.verb,
    kernels: () => [],
    apply(morsel) {
      const failures = new Failures()
      const results = columns.map(({ evaluate }, i) => ({ ...evaluate(morsel, failures), type: types[i] }))
      failures.throwIfAny(context.k, morsel)
      return { rowCount: morsel.rowCount, rows: morsel.rows, columns: results }
    },
    // Whose strings are made here.
    renew(mostBytes) {
      if (mostBytes > 0) return
      for (const { free } of columns) free()
      columns = compile()
    },
    free() {
      for (const { free } of columns) free()
    },
  }
}
