// Which key is which entry: a hash table of all nodes' keys, those wanted and, as far as there is room, others that were met.

import { hashBytes } from '../text'
import { Entry, Node, Op, Parser } from './layout'

// @ts-ignore: decorator
@inline
const ENTRY_BYTES: usize = offsetof<Entry>()
/** No longer key is remembered that nobody asked for. */
// @ts-ignore: decorator
@inline
const MOST_KEY: u32 = 64

// @ts-ignore: decorator
@inline
function hashOf(parser: Parser, node: Node, at: usize, length: u32): u32 {
  return hashBytes(at, length, parser.seed + u32(changetype<usize>(node)))
}

/** The slot of a key of a node, or the empty one where it would go. */
function slotOf(parser: Parser, node: Node, at: usize, length: u32, hash: u32): usize {
  let index = hash
  while (true) {
    const slot = parser.slots + (usize(index & parser.slotMask) << 2)
    const entry = changetype<Entry>(usize(load<u32>(slot)))
    if (changetype<usize>(entry) == 0) return slot
    if (entry.hash == hash && entry.node == node && entry.keyLength == length && memory.compare(entry.keyAt, at, usize(length)) == 0) return slot
    index++
  }
}

/** Enters an entry by its node and key. */
export function jsonAddKey(parserPointer: usize, entryPointer: usize): void {
  const parser = changetype<Parser>(parserPointer)
  const entry = changetype<Entry>(entryPointer)
  entry.hash = hashOf(parser, entry.node, entry.keyAt, entry.keyLength)
  store<u32>(slotOf(parser, entry.node, entry.keyAt, entry.keyLength, entry.hash), u32(changetype<usize>(entry)))
}

/** The entry of the key at `at`, which may be made now; where there is no more room, that of all others. */
export function findEntry(parser: Parser, node: Node, at: usize, length: u32): Entry {
  const hash = hashOf(parser, node, at, length)
  const slot = slotOf(parser, node, at, length, hash)
  const known = load<u32>(slot)
  if (known) return changetype<Entry>(usize(known))
  const entry = changetype<Entry>(parser.spare)
  if (length > MOST_KEY || parser.spare == parser.spareEnd || parser.keysEnd - parser.keys < usize(length)) return node.other
  parser.spare += ENTRY_BYTES
  memory.copy(parser.keys, at, usize(length))
  entry.keyAt = parser.keys
  parser.keys += usize(length)
  entry.keyLength = length
  entry.hash = hash
  entry.node = node
  entry.op = Op.SKIP
  entry.length = 0
  entry.child = changetype<Node>(0)
  store<u32>(slot, u32(changetype<usize>(entry)))
  return entry
}
