/**
 * JavaScript strings to codes of one growing `Dictionary`, each distinct string encoded once. The dictionary itself
 * does not search.
 */
import { Dictionary } from './dictionary.js'
import { wellFormed } from './utf8.js'

export interface TextInterner {
  /** The dictionary that the codes since the last `renew` belong to. */
  readonly dictionary: Dictionary
  /** The code of `text`, added where it is new; a lone surrogate counts as U+FFFD. */
  intern(text: string): number
  /**
   * Called between chunks: goes on with an empty dictionary once this one has grown large, since chunks may differ in
   * theirs.
   */
  renew(): void
}

/**
 * @param largeEntries entries, and @param largeBytes bytes, beyond which a dictionary is left behind. A Map holds at
 * most 2^24 entries and 32-bit offsets reach 2^31 bytes: by default both are far off when another chunk of 65,536 rows
 * begins.
 */
export function textInterner(largeEntries = 2 ** 20, largeBytes = 2 ** 28): TextInterner {
  let dictionary = new Dictionary()
  let codes = new Map<string, number>()

  const add = (text: string): number => {
    const clean = wellFormed(text)
    const code = clean === text ? dictionary.add(text) : intern(clean)
    codes.set(text, code)
    return code
  }

  const intern = (text: string): number => codes.get(text) ?? add(text)

  return {
    get dictionary() {
      return dictionary
    },
    intern,
    renew() {
      if (codes.size > largeEntries || dictionary.byteLength > largeBytes) {
        dictionary = new Dictionary()
        codes = new Map()
      }
    },
  }
}
