/**
 * JavaScript strings to codes of one growing `Dictionary`, each distinct string encoded once. The dictionary itself
 * does not search.
 */
import { Dictionary } from './dictionary.js'
import { wellFormed } from './utf8.js'

export interface TextInterner {
  /** The dictionary that the codes since the last `renew` belong to. */
  readonly dictionary: Dictionary
  /** The code of `text`, added where it is not known; a lone surrogate counts as U+FFFD. */
  intern(text: string): number
  /**
   * Called between chunks, which may differ in their dictionaries: goes on with an empty one once this one has grown large. Where most strings had not come
   * before, the next chunks have a dictionary each, in which every string is an entry of its own: looking them up takes ten times as long as that.
   */
  renew(): void
}

/** So many are looked up before it is said whether they come again. */
const LEAST_LOOKED_UP = 4096
/** So many times as many are then taken as they come, before it is asked again. */
const UNLOOKED_TIMES = 16

/**
 * @param largeEntries entries, and @param largeBytes bytes, beyond which a dictionary is left behind. A Map holds at
 * most 2^24 entries and 32-bit offsets reach 2^31 bytes: by default both are far off when another chunk of 65,536 rows
 * begins.
 */
export function textInterner(largeEntries = 2 ** 20, largeBytes = 2 ** 28): TextInterner {
  let dictionary = new Dictionary()
  let codes = new Map<string, number>()
  /** Since it was asked whether strings come again: those looked up, and those added to the dictionary. */
  let lookedUp = 0
  let added = 0
  /** Strings that are not looked up, before it is asked again. */
  let unlooked = 0

  const begin = () => {
    const { length, byteLength } = dictionary
    dictionary = new Dictionary()
    codes = new Map()
    if (unlooked === 0) return
    dictionary.isOfOneBatch = true
    // The next chunk is mostly as long as the last.
    if (lookedUp === 0) dictionary.reserve(length, Math.min(1.25 * byteLength, 2 ** 28))
  }

  const add = (text: string): number => {
    const clean = wellFormed(text)
    if (unlooked > 0) return dictionary.add(clean)
    added++
    const code = clean === text ? dictionary.add(text) : intern(clean)
    codes.set(text, code)
    return code
  }

  const intern = (text: string): number => {
    if (unlooked > 0) return add(text)
    lookedUp++
    return codes.get(text) ?? add(text)
  }

  return {
    get dictionary() {
      return dictionary
    },
    intern,
    renew() {
      if (unlooked > 0) {
        unlooked = Math.max(0, unlooked - dictionary.length)
        begin()
      } else if (lookedUp >= LEAST_LOOKED_UP) {
        if (2 * added > lookedUp) unlooked = UNLOOKED_TIMES * lookedUp
        if (unlooked > 0) begin()
        lookedUp = 0
        added = 0
      }
      if (codes.size > largeEntries || dictionary.byteLength > largeBytes) begin()
    },
  }
}
