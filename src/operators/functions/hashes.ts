/** Published hashes, compiled: a part of lanes, loaded for the first plan that calls one. */
import type { CallNode } from '../../expressions/node.js'
import { createHasher, createKeyedHasher } from '../../kernels/hashes.js'
import type { LaneDictionary } from '../../kernels/text.js'
import type { OperatorContext } from '../build.js'
import type { CallInput, CompiledCall } from '../call.js'

export function compileCall(
  { k, dictionaries }: OperatorContext,
  { parameters = {} }: CallNode,
  [{ column }]: readonly CallInput[],
): CompiledCall {
  let own: LaneDictionary | null = null
  const into = () => {
    own ??= dictionaries.create()
    return own
  }
  const letGo = () => {
    if (own !== null) dictionaries.release(own)
    own = null
  }
  const { key, seed = 0 } = parameters as { readonly key?: string; readonly seed?: number | bigint }
  const hasher =
    key === undefined
      ? createHasher(k, BigInt.asUintN(64, BigInt(seed)))
      : createKeyedHasher(k, [wordOf(key, 0), wordOf(key, 16)], into, letGo)
  return {
    run: (morsel, failures) => hasher.hash(column(morsel, failures)),
    free() {
      hasher.free()
      letGo()
    },
  }
}

/** Eight bytes of hexadecimal digits, the first lowest. */
function wordOf(key: string, from: number): bigint {
  let word = 0n
  for (let byte = 7; byte >= 0; byte--)
    word = (word << 8n) | BigInt(`0x${key.slice(from + 2 * byte, from + 2 * byte + 2)}`)
  return word
}
