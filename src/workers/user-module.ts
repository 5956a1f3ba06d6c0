/** Where the module of a user's own kernel comes from: addresses are fetched, and files read. A chunk of its own. */
import { platform } from '#platform'
import { MillraceError } from '../errors.js'

/** @throws MillraceError `MR_USER_CODE_FAILED` where it cannot be had, `MR_TYPE_MISMATCH` for what is none of it */
export async function readModule<M>(source: BufferSource | URL | string | Response | M): Promise<BufferSource | M> {
  if (source instanceof Response) return bytesOf(source, source.url)
  if (typeof source !== 'string' && !(source instanceof URL)) {
    if (typeof source === 'object' && source !== null) return source as BufferSource | M
    throw new MillraceError(
      'MR_TYPE_MISMATCH',
      `defineKernel: wasm is bytes, an address, a response or a module, not ${typeof source}`,
      { operator: 'defineKernel' },
    )
  }
  try {
    const bytes = await platform.readFile(source)
    if (bytes !== null) return bytes
    return await bytesOf(await fetch(source), String(source))
  } catch (error) {
    throw error instanceof MillraceError ? error : failed(`${String(source)} cannot be read`, error)
  }
}

async function bytesOf(response: Response, url: string): Promise<ArrayBuffer> {
  if (!response.ok) throw failed(`${url} gives HTTP status ${response.status}`)
  return response.arrayBuffer()
}

const failed = (text: string, cause?: unknown) =>
  new MillraceError('MR_USER_CODE_FAILED', `defineKernel: ${text}`, { operator: 'defineKernel' }, cause)
