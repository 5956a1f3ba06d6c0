/** The watermark of several inputs: the least of those that are waited for. It never goes back. */

/** What is known of an input. */
export interface InputState {
  /** Its own watermark; the least int64 before its first row. */
  readonly watermark: bigint
  /** Nothing more comes. */
  readonly isOver: boolean
  /** It has not been heard of for as long as it may be. */
  readonly isSilent: boolean
}

export interface InputsWatermark {
  /** As far as it has come. */
  readonly value: bigint
  /** That of rows of input `i` as each came, of the input's own: none is before what had been said, nor after what others have come to. Those that are late whatever comes stay so. */
  ofRows(i: number, own: BigInt64Array<ArrayBuffer>): BigInt64Array<ArrayBuffer>
  /** After an input has changed: moves on as far as it can. */
  settle(): void
}

const LEAST = -(2n ** 63n)
const MOST = 2n ** 63n - 1n

export function createInputsWatermark(inputs: readonly InputState[]): InputsWatermark {
  let value = LEAST
  /** Set aside, until it has caught up. */
  const isAside = inputs.map(() => false)

  /** Of inputs but one; null where none is waited for. */
  const least = (but: number): bigint | null => {
    let found: bigint | null = null
    for (const [i, { watermark, isOver }] of inputs.entries()) {
      if (i === but || isOver || isAside[i]) continue
      if (found === null || watermark < found) found = watermark
    }
    return found
  }

  return {
    get value() {
      return value
    },
    ofRows(i, own) {
      const most = least(i) ?? MOST
      const from = value
      for (let row = 0; row < own.length; row++) {
        const mark = own[row] as bigint
        if (mark < from) own[row] = from
        else if (mark > most && mark !== MOST) own[row] = most > from ? most : from
      }
      return own
    },
    settle() {
      for (const [i, { isSilent, watermark }] of inputs.entries()) {
        if (isSilent) isAside[i] = true
        else if (isAside[i] && watermark >= value) isAside[i] = false
      }
      const reached = least(-1)
      if (reached !== null && reached > value) value = reached
    },
  }
}
