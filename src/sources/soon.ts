/** How long rows that have come wait for more, so that few messages carry many: a turn of the event loop. */

/** In Node.js a port that is referred to keeps its process alive. */
type Port = MessagePort & { ref?(): void; unref?(): void }

/** Both ends of a channel, kept: making one costs ten times what a message does, and is much to collect. */
let ports: readonly [Port, Port] | null = null
const waiting: ((value: null) => void)[] = []

export const soon = (): Promise<null> =>
  new Promise(resolve => {
    ports ??= open()
    const [here, there] = ports
    if (waiting.push(resolve) === 1) here.ref?.()
    there.postMessage(null)
  })

function open(): readonly [Port, Port] {
  const { port1, port2 }: { port1: Port; port2: Port } = new MessageChannel()
  port1.onmessage = () => {
    const resolve = waiting.shift()
    if (waiting.length === 0) port1.unref?.()
    resolve?.(null)
  }
  return [port1, port2]
}
