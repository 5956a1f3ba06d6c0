// What is under way between two lanes is bounded, and nobody waits for a lane that is gone.
import { describe, expect, it } from 'vitest'
import { createCredit } from '../../src/workers/credit.js'
import { turn } from './support.js'

describe('credit', () => {
  it('is spent after some parts, and earned part by part, lane by lane', async () => {
    const credit = createCredit()
    let sent = 0
    const sending = (async () => {
      for (; sent < 10; sent++) await credit.spend(1)
    })()
    await turn()
    expect(sent).toBe(3)
    // Another lane has its own.
    await credit.spend(2)
    credit.earn(2)
    await turn()
    expect(sent).toBe(3)
    for (let taken = 1; taken <= 3; taken++) {
      credit.earn(1)
      await turn()
      expect(sent).toBe(3 + taken)
    }
    for (let i = 0; i < 7; i++) credit.earn(1)
    await turn()
    for (let i = 0; i < 3; i++) credit.earn(1)
    await sending
    expect(sent).toBe(10)
  })

  it('that fails rejects whoever waits, and whoever comes', async () => {
    const credit = createCredit()
    const waits = Promise.all([1, 2, 3, 4, 5].map(() => credit.spend(7)))
    const reason = new Error('gone')
    credit.fail(reason)
    await expect(waits).rejects.toBe(reason)
    await expect(credit.spend(8)).rejects.toBe(reason)
  })
})
