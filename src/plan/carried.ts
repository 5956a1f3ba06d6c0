import type { Expression } from '../expressions/node.js'
import { collectColumns } from '../expressions/walk.js'
import type { PhysicalPlan } from './physical.js'

/** Places among the columns read of strings that no stage looks at, in a scan that only computes and filters: if rows go out as it gives them, these may go out as they came. */
export function columnsCarried({ branches, scan, sourceColumns, sourceSchema }: PhysicalPlan): number[] {
  let origins = new Map(sourceColumns.filter(name => sourceSchema[name].kind === 'utf8').map(name => [name, name]))
  const carried = new Set(origins.values())
  const look = (node: Expression): void => {
    for (const name of collectColumns(node, new Set())) carried.delete(origins.get(name) ?? '')
  }
  for (const stage of branches.length > 0 ? [null] : scan) {
    if (stage?.kind === 'filter') look(stage.predicate)
    else if (stage?.kind === 'project') {
      const after = new Map<string, string>()
      for (const { name, expression } of stage.columns) {
        const origin = expression.op === 'column' ? origins.get(expression.name) : undefined
        if (origin === undefined) look(expression)
        else after.set(name, origin)
      }
      origins = after
    } else return []
  }
  return sourceColumns.flatMap((name, i) => (carried.has(name) ? [i] : []))
}
