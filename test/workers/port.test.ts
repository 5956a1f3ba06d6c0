// Ports within a thread and between threads: order, early messages, closing.
import { describe, expect, it } from 'vitest'
import { localPorts, messagePort, type Port, yieldToLoop } from '../../src/workers/port.js'

const gather = (port: Port): unknown[] => {
  const messages: unknown[] = []
  port.onmessage = message => messages.push(message)
  return messages
}
const pair = () => {
  const { port1, port2 } = new MessageChannel()
  return [messagePort(port1), messagePort(port2)] as const
}
const turn = () => new Promise(resolve => setTimeout(resolve, 5))

describe('two ports in one thread', () => {
  it('deliver in order, in both directions, never while the sender runs', async () => {
    const [a, b] = localPorts()
    const atA = gather(a)
    const atB = gather(b)
    for (let i = 0; i < 3; i++) {
      a.post(i)
      b.post(`answer ${i}`)
    }
    expect([atA, atB]).toEqual([[], []])
    await turn()
    expect(atB).toEqual([0, 1, 2])
    expect(atA).toEqual(['answer 0', 'answer 1', 'answer 2'])
  })

  it('keep what comes before anyone listens', async () => {
    const [a, b] = localPorts()
    a.post('early')
    await turn()
    const messages = gather(b)
    await turn()
    expect(messages).toEqual(['early'])
    expect(b.onmessage).toBeTypeOf('function')
  })

  it('hand messages over as they are', async () => {
    const [a, b] = localPorts()
    const message = { data: Int32Array.of(1) }
    const messages = gather(b)
    a.post(message, [message.data.buffer])
    await turn()
    expect(messages[0]).toBe(message)
    expect(message.data.length).toBe(1)
  })

  it('what is posted by a receiver comes after what was posted before', async () => {
    const [a, b] = localPorts()
    const seen: unknown[] = []
    b.onmessage = (message: unknown) => {
      seen.push(message)
      if (message === 1) a.post(3)
    }
    a.post(1)
    a.post(2)
    await turn()
    expect(seen).toEqual([1, 2, 3])
  })

  it('after either end is closed nothing is delivered, not even what was under way', async () => {
    for (const closes of [0, 1] as const) {
      const ports = localPorts()
      const messages = [gather(ports[0]), gather(ports[1])]
      ports[0].post('under way')
      ports[1].post('too')
      ports[closes].close()
      ports[0].post('later')
      ports[1].post('later')
      await turn()
      expect(messages).toEqual([[], []])
    }
  })

  it('a receiver that closes gets no more of those that came together', async () => {
    const [a, b] = localPorts()
    const seen: unknown[] = []
    b.onmessage = (message: unknown) => {
      seen.push(message)
      b.close()
    }
    a.post(1)
    a.post(2)
    await turn()
    expect(seen).toEqual([1])
  })
})

describe('an end of a message channel', () => {
  it('delivers in order, early messages first, and transfers buffers', async () => {
    const [a, b] = pair()
    const data = Int32Array.of(1, 2, 3)
    a.post(data, [data.buffer])
    a.post('second')
    expect(data.length).toBe(0)
    const messages = gather(b)
    await turn()
    expect(messages).toEqual([Int32Array.of(1, 2, 3), 'second'])
    a.close()
  })

  it('gives its listener back, and none once it is taken away', async () => {
    const [a, b] = pair()
    const listener = () => {}
    b.onmessage = listener
    expect(b.onmessage).toBe(listener)
    b.onmessage = null
    expect(b.onmessage).toBeNull()
    a.close()
    b.close()
  })

  it('posting to a closed port is no error', async () => {
    const [a, b] = pair()
    b.close()
    await turn()
    a.post('to nobody')
    a.close()
    a.close()
  })
})

describe('yieldToLoop', () => {
  it('lets timers and messages have their turn', async () => {
    const seen: string[] = []
    const [a, b] = pair()
    b.onmessage = () => seen.push('message')
    a.post(null)
    setTimeout(() => seen.push('timer'), 0)
    const start = performance.now()
    while (seen.length < 2 && performance.now() - start < 5000) await yieldToLoop()
    expect(seen.sort()).toEqual(['message', 'timer'])
    a.close()
  })
})
