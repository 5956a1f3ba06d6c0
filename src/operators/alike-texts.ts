/** Aggregations of the same aggregates one after another, whose strings keep the same dictionaries: what goes from one to the next is not coded anew, nor is what comes in afterwards. */
import type { LaneDictionary } from '../kernels/text.js'
import type { OperatorContext } from './build.js'

export interface AlikeTexts {
  /** What the next aggregation is to be made with. @param of what takes the place of a dictionary */
  context(of?: (dictionary: LaneDictionary) => LaneDictionary): OperatorContext
  /** The one made last is the one that the next are like. */
  keep(): void
}

interface Strings {
  known(): LaneDictionary | null
}

export function createAlikeTexts(context: OperatorContext): AlikeTexts {
  let kept: readonly Strings[] = []
  let last: readonly Strings[] = []
  return {
    context(of = dictionary => dictionary) {
      const own: Strings[] = []
      last = own
      const texts = (states: Strings) => {
        const at = own.push(states) - 1
        return () => {
          const known = kept[at]?.known() ?? null
          return known && of(known)
        }
      }
      return Object.create(context, { texts: { value: texts } })
    },
    keep() {
      kept = last
    },
  }
}
