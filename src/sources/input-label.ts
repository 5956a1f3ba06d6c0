/** Files in the label of a source, as messages and plans show it. */
import type { Input } from '../formats/input.js'

export function labelOf(verb: string, inputs: readonly Input[]): string {
  return `${verb} ${inputs.map(nameOf).join(', ').slice(0, 200)}`
}

function nameOf(input: Input): string {
  if (typeof input === 'string') return input
  if (input instanceof URL) return input.href
  if ('text' in input && typeof input.text === 'string') return 'text'
  return 'name' in input && typeof input.name === 'string' ? input.name : (input.constructor?.name ?? 'an object')
}
