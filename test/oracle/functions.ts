/** Functions of values in the naive model, by name: the neighbours in functions/. */
import { castFunctions } from './functions/casts.js'
import { conditionFunctions } from './functions/conditions.js'
import { hashFunctions } from './functions/hashes.js'
import { numberFunctions } from './functions/numbers.js'
import { stringFunctions } from './functions/strings.js'
import { timeFunctions } from './functions/times.js'
import type { ModelType, Value } from './value.js'

/** What a function is told beside its inputs, as the user says it. */
export type ModelParameters = Readonly<Record<string, unknown>>

export interface ModelFunction {
  readonly type: (inputs: readonly ModelType[], parameters: ModelParameters) => ModelType
  /** Of one row. @throws ModelError at `row` */
  readonly evaluate: (
    values: readonly Value[],
    told: { readonly parameters: ModelParameters; readonly types: readonly ModelType[]; readonly row: number },
  ) => Value
}

export type ModelFunctions = Readonly<Record<string, ModelFunction>>

export const FUNCTIONS: ModelFunctions = {
  ...numberFunctions,
  ...stringFunctions,
  ...timeFunctions,
  ...conditionFunctions,
  ...castFunctions,
  ...hashFunctions,
}
