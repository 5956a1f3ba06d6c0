/** How long it takes from a push to the screen: of the pushes that close a window, until the frame in which it is drawn has been painted. */

export interface Latency {
  /** A push that may close windows: all that end at `watermarkMs` or before. */
  pushed(watermarkMs: number): void
  /** A window that ends so is about to be drawn, in the next frame. */
  answered(endMs: number): void
  /** What has been answered is drawn, in this frame. */
  drawn(): void
  /** In milliseconds, of the last thousand windows; null where there are none. */
  quantile(share: number): number | null
  /** What is kept is forgotten. */
  reset(): void
  close(): void
}

const KEPT = 1000

export function createLatency(): Latency {
  /** Pushes by which the watermark has moved, of windows that have not been answered yet. */
  let pushes: { readonly watermarkMs: number; readonly at: number }[] = []
  let begun: number[] = []
  let kept: number[] = []
  let next = 0

  // A task that is asked for in a frame comes after its painting.
  const { port1, port2 } = new MessageChannel()
  const drawing: number[][] = []
  port1.onmessage = () => {
    const now = performance.now()
    for (const at of drawing.shift() ?? []) {
      kept[next] = now - at
      next = (next + 1) % KEPT
    }
  }

  return {
    pushed(watermarkMs) {
      if (watermarkMs > (pushes.at(-1)?.watermarkMs ?? -Infinity)) pushes.push({ watermarkMs, at: performance.now() })
    },
    answered(endMs) {
      const by = pushes.findIndex(({ watermarkMs }) => watermarkMs >= endMs)
      // Windows that close because there is no more are closed by no push.
      if (by < 0) return
      // A hidden page draws nothing: what it is shown late is its own affair.
      if (!document.hidden) begun.push(pushes[by].at)
      pushes = pushes.slice(by)
    },
    drawn() {
      if (begun.length === 0) return
      drawing.push(begun)
      begun = []
      port2.postMessage(null)
    },
    quantile(share) {
      if (kept.length === 0) return null
      const sorted = Float64Array.from(kept).sort()
      return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
    },
    reset() {
      kept = []
      next = 0
    },
    close: () => port1.close(),
  }
}
