/** The module of a user's own kernel, compiled and checked in the calling thread: a chunk of its own. What lanes do with it is user-kernel.ts. */
import { MillraceError, nearestName, quote } from '../errors.js'
import { canCompile, wasmBlocked } from './compile.js'
import { USER_IMPORTS, type UserKernelModule } from './user-kernel.js'

/** @param parameters how many the export takes. @throws MillraceError `MR_WASM_BLOCKED`, `MR_USER_CODE_FAILED`, `MR_INVALID_OPTION` */
export async function compileUserModule(
  source: BufferSource | WebAssembly.Module,
  name: string,
  parameters: number,
): Promise<UserKernelModule> {
  if (typeof WebAssembly !== 'object') throw wasmBlocked()
  const module = source instanceof WebAssembly.Module ? source : await compiled(source)
  const exported = WebAssembly.Module.exports(module)
  const functions = exported.filter(({ kind }) => kind === 'function').map(each => each.name)
  if (!functions.includes(name)) {
    const near = nearestName(name, functions)
    throw refused(
      `the module exports no function ${quote(name)}; ${near === undefined ? `it exports ${functions.slice(0, 12).map(quote).join(', ') || 'none'}` : `did you mean ${quote(near)}?`}`,
    )
  }
  if (!exported.some(each => each.name === 'memory' && each.kind === 'memory'))
    throw refused('the module exports no memory of that name, through which it would be given columns')
  const foreign = WebAssembly.Module.imports(module).find(each => each.module !== 'env' || each.name !== 'abort')
  if (foreign !== undefined)
    throw refused(`the module imports ${quote(`${foreign.module}.${foreign.name}`)}, and is given env.abort alone`)
  const { length } = (await started(module))[name] as { readonly length: number }
  if (length !== parameters) {
    throw refused(
      `${quote(name)} takes ${length} parameters, not ${parameters}: the number of rows, then the values and the validity of each input and of the output`,
    )
  }
  return { module, export: name }
}

async function compiled(source: BufferSource): Promise<WebAssembly.Module> {
  // To some engines other views are no bytes.
  const bytes = ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer as ArrayBuffer, source.byteOffset, source.byteLength)
    : source
  try {
    return await WebAssembly.compile(bytes)
  } catch (error) {
    if (!(await canCompile())) throw wasmBlocked(error)
    throw failed('the module does not compile', error)
  }
}

async function started(module: WebAssembly.Module): Promise<WebAssembly.Exports> {
  try {
    return (await WebAssembly.instantiate(module, USER_IMPORTS)).exports
  } catch (error) {
    throw failed('the module does not start', error)
  }
}

const refused = (text: string) =>
  new MillraceError('MR_INVALID_OPTION', `defineKernel: ${text}`, { operator: 'defineKernel' })
const failed = (text: string, cause: unknown) =>
  new MillraceError(
    'MR_USER_CODE_FAILED',
    `defineKernel: ${text}: ${cause instanceof Error ? cause.message : String(cause)}`,
    { operator: 'defineKernel' },
    cause,
  )
