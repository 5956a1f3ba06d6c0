/**
 * Who still needs a lane's dictionaries. A dictionary is made for a job's input column, and the codes of that column may end up in a held table that
 * outlives the job: whoever keeps codes retains their dictionary, and the last release frees it.
 */
import type { LaneDictionary } from '../kernels/text.js'

export interface DictionaryPool {
  /** A new, empty dictionary, retained once. */
  create(): LaneDictionary
  retain(dictionary: LaneDictionary): void
  release(dictionary: LaneDictionary): void
  /** Of all that are retained: strings, and what finds them. */
  readonly byteLength: number
}

/** @param make a new, empty dictionary of the lane. */
export function createDictionaryPool(make: () => LaneDictionary): DictionaryPool {
  const owners = new Map<LaneDictionary, number>()
  return {
    get byteLength() {
      let bytes = 0
      for (const dictionary of owners.keys()) bytes += dictionary.storedBytes
      return bytes
    },
    create() {
      const dictionary = make()
      owners.set(dictionary, 1)
      return dictionary
    },
    retain(dictionary) {
      // One that was not made here is its maker's to free.
      owners.set(dictionary, (owners.get(dictionary) ?? 1) + 1)
    },
    release(dictionary) {
      const count = (owners.get(dictionary) ?? 1) - 1
      if (count > 0) owners.set(dictionary, count)
      else {
        owners.delete(dictionary)
        dictionary.free()
      }
    },
  }
}
