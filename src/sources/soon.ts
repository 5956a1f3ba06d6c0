/** How long rows that have come wait for more, so that few messages carry many: a turn of the event loop. */
export const soon = (): Promise<null> =>
  new Promise(resolve => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve(null)
    }
    port2.postMessage(null)
  })
