/** `defineKernel`: a user's own WebAssembly as a function of expressions. kernels/user-kernel.ts says what lanes do with it. */
import { type DataType, isFloat, isInteger, isTime, typeName } from '../columnar/type.js'
import { exactDouble, exactInteger, literalOf as literalNode } from '../expressions/literal.js'
import type { LiteralValue, UserKernelCall } from '../expressions/node.js'
import { RANGES } from '../expressions/range.js'
import type { KernelModule } from '../kernels/instance.js'
import { familyOf, type Handle, handleOf, isHandle, literalOf } from './columns.js'
import type { Expr } from './handles.js'
import { optionsOf } from './options.js'
import { invalid, mismatch, show } from './refusal.js'
import type { HandleOf, Literal, MayBeNull, NullableIf } from './types.js'

/** What `defineKernel` is told. */
export interface KernelDefinition<I extends readonly DataType[], O extends DataType> {
  /** The module: its bytes, its address (in Node.js a path too), a response that has it, or compiled. */
  readonly wasm: ArrayBuffer | ArrayBufferView | URL | string | Response | KernelModule
  /** The function of it that computes. */
  readonly export: string
  /** Types of what it takes: bool, integers, floats, dates and timestamps. */
  readonly inputs: I
  /** That of the result. Where it is `nullable` the kernel says which rows are null, else those are of which an input is. */
  readonly output: O
  /** Names it in `explain` and in errors; that of the export by default. */
  readonly name?: string
}

/** What it is called with, and what comes of it. */
export type UserKernel<I extends readonly DataType[], O extends DataType> = <
  const A extends { readonly [K in keyof I]: Expr<any> | Literal },
>(
  ...inputs: A
) => HandleOf<O['nullable'] extends true ? O : NullableIf<O, true extends MayBeNull<A[number]> ? true : false>>

let kernelCount = 0

/**
 * A kernel of your own as a function of expressions: a function of a WebAssembly module that every lane calls with columns of up to 65,536 rows at a time. It is compiled here,
 * once.
 *
 * The module exports its `memory`, and a function of `i32`s: how many rows there are, then for each input where its values are and where its validity bitmap is, then the same
 * of the output, which it writes. Values are little-endian and side by side, of a bool a bitmap; bit `i & 7` of byte `i >> 3` of a bitmap is that of row i, 1 where it is not
 * null. It returns nothing, or the first row that it has no value for, and -1 for none. In AssemblyScript:
 *
 * ```
 * export function allocate(byteLength: i32): usize { return heap.alloc(byteLength) }
 *
 * export function hypot(rows: i32, x: usize, xValid: usize, y: usize, yValid: usize, out: usize, outValid: usize): void {
 *   for (let i = 0; i < rows; i++) {
 *     const a = load<f64>(x + 8 * i), b = load<f64>(y + 8 * i)
 *     store<f64>(out + 8 * i, Math.sqrt(a * a + b * b))
 *   }
 * }
 * ```
 * `allocate`, which gives room for what is copied in, is called seldom; a module without it has pages added to its memory, and must not allocate anything itself. It may import
 * `env.abort` and nothing else. The values of null rows are any, and what it writes for them does not count. A kernel has to be a function of its inputs: lanes have memories of
 * their own, and which rows come together is not said. It runs until it ends: a job that is cancelled meanwhile starts fresh lanes after two seconds.
 *
 * ```ts
 * const wasm = Uint8Array.from(
 *   atob(
 *     'AGFzbQEAAAABCQFgBX9/f39/AAMCAQAFAwEAAQcSAgZtZW1vcnkCAAV0d2ljZQAACjcBNQACQANAIABFDQEgAyABKwMAIAErAwCgOQMAIAFBCGohASADQQhqIQMgAEEBayEADAALAAsL',
 *   ),
 *   c => c.charCodeAt(0),
 * )
 * const twice = await defineKernel({ wasm, export: 'twice', inputs: [float64()], output: float64() })
 * show(await flow.derive(t => ({ double: twice(t.price) })).collect())
 * ```
 * @throws (rejects) MillraceError `MR_INVALID_OPTION` where the module is not of this kind, `MR_TYPE_MISMATCH`, `MR_USER_CODE_FAILED` where it does not load, compile or start,
 * `MR_WASM_BLOCKED`; terminals `MR_USER_CODE_FAILED` where it traps, with the first row of those that it was called with, or has told a row
 */
export async function defineKernel<const I extends readonly DataType[], O extends DataType>(
  definition: KernelDefinition<I, O>,
): Promise<UserKernel<I, O>> {
  const example = "{ wasm: bytes, export: 'hypot', inputs: [float64(), float64()], output: float64() }"
  const options = optionsOf('defineKernel', definition, example, ['wasm', 'export', 'inputs', 'output', 'name'])
  const { wasm, export: exported, inputs, output, name = exported } = options
  if (typeof exported !== 'string' || typeof name !== 'string')
    throw invalid(
      'defineKernel',
      `export is the name of a function of the module, in ${example}, not ${show(exported)}`,
    )
  if (!Array.isArray(inputs) || inputs.length === 0)
    throw invalid('defineKernel', `inputs are one or more types, in ${example}, not ${show(inputs)}`)
  for (const type of [...inputs, output]) checkType(type)
  const [{ readModule }, { compileUserModule }] = await Promise.all([
    import('../workers/user-module.js'),
    import('../kernels/user-module.js'),
  ])
  const module = await compileUserModule(await readModule(wasm), exported, 1 + 2 * (inputs.length + 1))
  const kernel: UserKernelCall = Object.freeze({
    id: ++kernelCount,
    name,
    module: Object.freeze(module),
    inputs: Object.freeze(inputs.map(type => ({ ...type, nullable: false }))),
    output,
  })
  return ((...given: readonly unknown[]): Handle => {
    if (given.length !== inputs.length)
      throw mismatch(
        name,
        `${name} takes ${inputs.length} ${inputs.length === 1 ? 'value' : 'values'}, not ${given.length}`,
      )
    const operands = given.map((each, i) => {
      const node = isHandle(each) ? each.expression : literalOf(each, name)
      if (node.op !== 'literal' || node.type !== undefined || node.value === null) return node
      const value = exactValue(node.value, inputs[i] as DataType)
      if (value !== null) return literalNode(value, kernel.inputs[i] as DataType)
      const type = typeName(inputs[i] as DataType)
      throw mismatch(
        name,
        `${name} takes ${type} as its input ${i + 1}, not ${show(node.value)}; give one that it holds exactly`,
      )
    })
    return handleOf(
      familyOf(output),
      Object.freeze({ op: 'call', function: 'kernel', inputs: Object.freeze(operands), kernel }),
    )
  }) as unknown as UserKernel<I, O>
}

/** What a literal is in a type that it is to be a value of as it stands; null: it is none. */
function exactValue(value: LiteralValue, { kind }: DataType): LiteralValue {
  if (typeof value === 'boolean' && kind === 'bool') return value
  if (typeof value !== 'number' && typeof value !== 'bigint') return null
  const [double, whole] = [exactDouble(value), exactInteger(value)]
  if (kind === 'float64' || (kind === 'float32' && double !== null && Object.is(Math.fround(double), double)))
    return double
  const range = isInteger(kind) ? RANGES[kind] : undefined
  if (range === undefined || whole === null || whole < range.min || whole > range.max) return null
  return kind === 'int64' ? whole : Number(whole)
}

function checkType(type: DataType): void {
  const kind = (type as { kind?: unknown } | null | undefined)?.kind
  if (typeof kind !== 'string')
    throw mismatch('defineKernel', `defineKernel: a type is one such as float64(), not ${show(type)}`)
  if (type.kind === 'bool' || isInteger(type.kind) || isFloat(type.kind) || isTime(type.kind)) return
  throw mismatch(
    'defineKernel',
    `defineKernel: a kernel takes and gives numbers, bools and times, not ${typeName(type)}`,
  )
}
