/** What `map` and `flatMap` are given, checked, and `validate` with a validator of rows. flow.ts has the verbs, sources/user-stage.ts calls the functions. */
import { fieldsOf, isType, schemaOf } from '../columnar/schema.js'
import { bool, type DataType, nullable, type SchemaShape, utf8, type ValueOf } from '../columnar/type.js'
import { quote } from '../errors.js'
import { columnOf, deriveNode, dropNode, filterNode, freshName } from '../plan/build.js'
import { call, not } from '../plan/cleaning.js'
import type { UserNode } from '../plan/logical.js'
import type { Source } from '../sources/source.js'
import type { OnError } from '../sources/user-stage.js'
import { BROKEN_RULES } from './cleaning.js'
import { literalOf } from './columns.js'
import { Flow, newBinding } from './flow.js'
import { optionsOf } from './options.js'
import { invalid, isPlainRecord, mismatch, show } from './refusal.js'
import { stagedFlow } from './staged.js'

/** A row as a user's function gives it. */
export type RowInput<S extends SchemaShape> = { readonly [K in keyof S]: CellOf<S[K]> }
type CellOf<T extends DataType> = ValueOf<T> | (T['kind'] extends 'int64' | 'timestamp' ? bigint : never)

/** What `map` and `flatMap` are told. */
export interface UserOptions<S extends SchemaShape> {
  /** The columns of what the function gives. */
  readonly schema: S
  /**
   * Hears of each row that fails, in their order (of what lanes call, in that in which they meet them), and the row is left out; without it the job fails of the first. The error says which row it is (`details.row`), and its
   * cause is what the function threw. What this throws, or rejects with, ends the job.
   */
  readonly onError?: OnError
}

/** A validator of zod, valibot, arktype or another library that follows standardschema.dev. */
export interface StandardValidator {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => unknown
  }
}

/** A function that lanes call: that which a module exports under a name. */
export interface UserModule {
  /** Its address: a URL, absolute. */
  readonly module: URL | string
  readonly export: string
}

export const isUserModule = (value: unknown): value is UserModule =>
  isPlainRecord(value) && Object.hasOwn(value, 'module')

/** @throws MillraceError `MR_TYPE_MISMATCH`, `MR_INVALID_OPTION` */
export function userCalled(
  verb: 'map' | 'flatMap' | 'filter',
  flow: Flow<any>,
  fn: unknown,
  options: Partial<UserOptions<any>> = {},
): Flow<any> {
  if (!isUserModule(fn)) return userMapped(verb as 'map' | 'flatMap', flow, fn, options as UserOptions<any>)
  const { module, export: name } = optionsOf(verb, fn, MODULE_EXAMPLE, ['module', 'export'])
  if (typeof name !== 'string') throw invalid(verb, `export is the name of a function, as in ${MODULE_EXAMPLE}`)
  const { schema = null, onError } =
    verb === 'filter'
      ? optionsOf(verb, options, '{ onError }', ['onError'])
      : checkedOptions(verb, options as UserOptions<any>)
  checkListener(verb, onError)
  const listener = onError === undefined ? null : newBinding()
  const node: UserNode = Object.freeze({
    kind: 'user',
    input: flow.plan,
    verb,
    module: addressOf(verb, module),
    export: name,
    schema: schema as SchemaShape | null,
    listener,
  })
  return new Flow(
    node,
    listener === null ? flow.sources : new Map([...flow.sources, [listener, listenerSource(onError as OnError)]]),
  )
}

const MODULE_EXAMPLE = "{ module: new URL('./clean.js', import.meta.url), export: 'clean' }"

/** Lanes are no place from which a relative address could be resolved. */
function addressOf(verb: string, module: unknown): string {
  if (module instanceof URL) return module.href
  if (typeof module !== 'string')
    throw mismatch(verb, `${verb}: module is a URL, as in ${MODULE_EXAMPLE}, not ${show(module)}`)
  try {
    return new URL(module).href
  } catch {
    throw invalid(
      verb,
      `${quote(module)} is no absolute URL, and lanes cannot resolve another: write ${MODULE_EXAMPLE}`,
    )
  }
}

/** Bound to the plan like a source, since functions are in no plan. */
const listenerSource = (hear: OnError): Source => ({
  label: 'onError',
  schema: null,
  rowCount: null,
  hear,
  describe: notASource,
  open: notASource,
})

const notASource = async (): Promise<never> => {
  throw new Error('what hears of errors is no source')
}

function userMapped(verb: 'map' | 'flatMap', flow: Flow<any>, fn: unknown, options: UserOptions<any>): Flow<any> {
  if (typeof fn !== 'function')
    throw mismatch(verb, `${verb} takes a function of a row, as in ${verb}(row => ...), not ${show(fn)}`)
  const { schema, onError = null } = checkedOptions(verb, options)
  const label = fn.name === '' ? verb : `${verb} ${fn.name}`
  return stagedFlow(flow, { label, step: label, schema }, async () => {
    const { userStage } = await import('../sources/user-stage.js')
    return userStage(verb, fn as (row: object) => unknown, schema, onError)
  })
}

/** Rows that a function of the caller's keeps. @throws MillraceError `MR_TYPE_MISMATCH`, `MR_INVALID_OPTION` */
export function userFiltered(flow: Flow<any>, fn: unknown, options: Pick<UserOptions<any>, 'onError'> = {}): Flow<any> {
  const verb = 'filterRows'
  if (typeof fn !== 'function')
    throw mismatch(verb, `${verb} takes a function of a row, as in ${verb}(row => row.price > 10), not ${show(fn)}`)
  const { onError = null } = optionsOf(verb, options, '{ onError }', ['onError'])
  checkListener(verb, options.onError)
  const kept = freshName('#kept', Object.keys(flow.schema ?? {}))
  const schema = flow.schema === null ? null : schemaOf([...fieldsOf(flow.schema), { name: kept, type: bool() }])
  const label = fn.name === '' ? verb : `${verb} ${fn.name}`
  const judged = stagedFlow(flow, { label, step: label, schema }, async () => {
    const { keepStage } = await import('../sources/user-stage.js')
    return keepStage(fn as (row: object) => unknown, kept, onError)
  })
  return new Flow(dropNode(filterNode(judged.plan, columnOf(kept)), judged.schema, [kept]), judged.sources)
}

function checkedOptions(verb: string, options: UserOptions<any>): UserOptions<any> {
  const example = '{ schema: schema({ total: float64() }) }'
  const { schema, onError } = optionsOf(verb, options, example, ['schema', 'onError'])
  if (typeof schema !== 'object' || schema === null || Object.keys(schema).length === 0)
    throw invalid(verb, `what a function gives cannot be known beforehand, so its columns are declared: ${example}`)
  for (const [name, type] of Object.entries(schema)) {
    if (isType(type)) continue
    throw mismatch(verb, `${verb}: a column type such as float64() is declared, not ${show(type)}`, name)
  }
  checkListener(verb, onError)
  return options
}

function checkListener(verb: string, onError: unknown): void {
  if (onError !== undefined && typeof onError !== 'function')
    throw invalid(verb, `onError is a function, not ${show(onError)}`)
}

export const isStandardValidator = (value: unknown): value is StandardValidator =>
  ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
  typeof (value as Partial<StandardValidator>)['~standard']?.validate === 'function'

/** `valid` and `rejected` of one source, which is run once where both are asked for together. */
export function parted(flow: Flow<any>, validator: StandardValidator): { valid: Flow<any>; rejected: Flow<any> } {
  const { vendor, validate } = validator['~standard']
  const verdict =
    flow.schema === null ? null : schemaOf([...fieldsOf(flow.schema), { name: BROKEN_RULES, type: nullable(utf8()) }])
  const label = `validate by ${vendor}`
  const judged = stagedFlow(flow, { label, step: label, schema: verdict }, async () => {
    const { verdictStage } = await import('../sources/user-stage.js')
    return verdictStage(validate, BROKEN_RULES)
  })
  const { plan, sources, schema } = judged
  const verdictIsNull = { op: 'isNull', input: columnOf(BROKEN_RULES) } as const
  const text = call('coalesce', columnOf(BROKEN_RULES), literalOf('', 'validate'))
  return {
    valid: new Flow(dropNode(filterNode(plan, verdictIsNull), schema, [BROKEN_RULES]), sources),
    rejected: new Flow(
      deriveNode(filterNode(plan, not(verdictIsNull)), schema, [{ name: BROKEN_RULES, expression: text }]),
      sources,
    ),
  }
}
