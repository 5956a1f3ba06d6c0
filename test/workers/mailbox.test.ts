// A port's messages as something to wait for.
import { describe, expect, it } from 'vitest'
import { openMailbox } from '../../src/workers/mailbox.js'
import { localPorts } from '../../src/workers/port.js'

describe('a mailbox', () => {
  it('gives messages in order, whether they came before or after someone asked', async () => {
    const [sender, receiver] = localPorts()
    const box = openMailbox<number>(receiver)
    sender.post(1)
    sender.post(2)
    expect(await box.next()).toBe(1)
    expect(await box.next()).toBe(2)
    const waiting = box.next()
    sender.post(3)
    expect(await waiting).toBe(3)
  })

  it('keeps back what is intercepted', async () => {
    const [sender, receiver] = localPorts()
    const kept: number[] = []
    const box = openMailbox<number>(receiver, message => message % 2 === 1 && kept.push(message) > 0)
    for (const message of [1, 2, 3, 4]) sender.post(message)
    expect(await box.next()).toBe(2)
    expect(await box.next()).toBe(4)
    expect(kept).toEqual([1, 3])
  })

  it('failing rejects whoever waits, and whoever comes later, messages or none', async () => {
    const [sender, receiver] = localPorts()
    const box = openMailbox<number>(receiver)
    const reason = Symbol('reason')
    const waiting = box.next()
    box.fail(reason)
    await expect(waiting).rejects.toBe(reason)
    sender.post(1)
    await new Promise(resolve => setTimeout(resolve, 1))
    await expect(box.next()).rejects.toBe(reason)
  })

  it('failing while nobody waits is told to nobody', async () => {
    const [, receiver] = localPorts()
    const box = openMailbox<number>(receiver)
    box.fail(new Error('unheard'))
    await new Promise(resolve => setTimeout(resolve, 5))
    await expect(box.next()).rejects.toThrow('unheard')
  })
})
