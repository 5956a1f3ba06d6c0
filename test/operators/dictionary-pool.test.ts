// The owners of a lane's dictionaries: the last one to let go frees it.
import { describe, expect, it } from 'vitest'
import { makeContext } from './support.js'

describe('a dictionary pool', () => {
  it('frees a dictionary when whoever made it lets go', async () => {
    const context = await makeContext()
    const before = context.usedBytes()
    const dictionary = context.dictionaries.create()
    dictionary.internStrings(['x'])
    expect(context.usedBytes()).toBeGreaterThan(before)
    context.dictionaries.release(dictionary)
    expect(context.usedBytes()).toBe(before)
  })

  it('keeps it as long as anyone else retains it', async () => {
    const context = await makeContext()
    const before = context.usedBytes()
    const dictionary = context.dictionaries.create()
    context.dictionaries.retain(dictionary)
    context.dictionaries.retain(dictionary)
    context.dictionaries.release(dictionary)
    context.dictionaries.release(dictionary)
    expect(context.usedBytes()).toBeGreaterThan(before)
    context.dictionaries.release(dictionary)
    expect(context.usedBytes()).toBe(before)
  })

  it('keeps dictionaries apart', async () => {
    const context = await makeContext()
    const before = context.usedBytes()
    const [one, other] = [context.dictionaries.create(), context.dictionaries.create()]
    context.dictionaries.retain(other)
    context.dictionaries.release(one)
    context.dictionaries.release(other)
    expect(context.usedBytes()).toBeGreaterThan(before)
    context.dictionaries.release(other)
    expect(context.usedBytes()).toBe(before)
  })
})
