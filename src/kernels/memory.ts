/**
 * The allocator of a lane's WebAssembly memory: blocks that live until freed, and a bump arena for what lives for one step.
 * It is written in TypeScript over the imported memory, so the kernels contain no allocator; what lies in a block is said by
 * lane-vector.ts and by each kernel.
 *
 * ```
 * page 0      never handed out, so that pointer 0 means "none"; from 0xf000 a kernel may use it for the time of a call
 * page 1..    runs of whole 64 KiB pages:  large block | slab of equal small blocks | arena chunk | free run
 *
 * blocks      up to 32 KiB: a slab of the next power of two (from 64 bytes), one page; larger: a run of pages, best fit.
 *             Freed runs join their free neighbours at once; a slab whose last block is freed becomes a free run.
 * arena       chunk 0 [====used====|......]  chunk 1 [.............]   a mark is (bytes of earlier chunks) + offset
 * ```
 * Pointers are 16-byte aligned unsigned numbers below 4 GiB; behind each block 16 bytes may be read. Whoever holds a view
 * (`u8`, `f64`, `bytes()`) must fetch it again after anything that can allocate: growth detaches it.
 */
import { MillraceError } from '../errors.js'
import { type MemoryAccount, PAGE_BYTES } from './memory-account.js'

export { PAGE_BYTES }

/** One page short of 4 GiB, so that `pointer + byteLength` never wraps to 0 in 32 bits. */
const MOST_PAGES = 65_535
const SLACK_BYTES = 16
const LEAST_SMALL_BYTES = 64
const MOST_SMALL_BYTES = 32_768
const LEAST_CHUNK_BYTES = 1 << 20

interface Slab {
  readonly page: number
  readonly blockBytes: number
  /** Blocks that have been given back. */
  readonly free: number[]
  /** Bytes from the page's beginning in blocks that have been handed out, and those given back. */
  begun: number
}

interface Chunk {
  readonly pointer: number
  /** Bytes that may be handed out: the block less its slack. */
  readonly capacity: number
  /** Capacities of the chunks before it, summed: where its part of the marks begins. */
  readonly base: number
}

export class LaneMemory {
  readonly memory: WebAssembly.Memory
  readonly maximumBytes: number
  /** Views of the whole memory, index = pointer >>> log2(element bytes). Made again when the memory grows: never keep one. */
  u8!: Uint8Array<ArrayBuffer>
  i8!: Int8Array<ArrayBuffer>
  u16!: Uint16Array<ArrayBuffer>
  i16!: Int16Array<ArrayBuffer>
  u32!: Uint32Array<ArrayBuffer>
  i32!: Int32Array<ArrayBuffer>
  i64!: BigInt64Array<ArrayBuffer>
  f32!: Float32Array<ArrayBuffer>
  f64!: Float64Array<ArrayBuffer>
  /** Who pays for what is taken now; null: nobody. To be set for as long as a job works without waiting. */
  account: MemoryAccount | null = null

  /** Makes buffers for what is copied out, their bytes unspecified; null: as JavaScript does, which clears them first. */
  freshBuffer: ((byteLength: number) => ArrayBuffer) | null = null

  private pageCount: number
  private readonly maximumPages: number
  private usedPages = 0
  private peakPages = 0
  /** Free runs: first page to page count, and the page after the last to the first. */
  private readonly freeFrom = new Map<number, number>()
  private readonly freeUntil = new Map<number, number>()
  /** Large blocks: first page to page count. */
  private readonly runs = new Map<number, number>()
  /** Who pays for a large block or a slab, by its first page. */
  private readonly payers = new Map<number, MemoryAccount>()
  /** Slabs by page, and those with room by log2 of the block size. */
  private readonly slabs = new Map<number, Slab>()
  private readonly roomy: Slab[][] = Array.from({ length: 16 }, () => [])
  private chunks: Chunk[] = []
  private chunkIndex = 0
  private chunkOffset = 0

  /** Takes over a memory that nobody else grows. `maximumBytes` is rounded down to whole pages. */
  constructor(memory: WebAssembly.Memory, maximumBytes = MOST_PAGES * PAGE_BYTES) {
    this.memory = memory
    this.maximumPages = Math.min(MOST_PAGES, Math.floor(maximumBytes / PAGE_BYTES))
    this.maximumBytes = this.maximumPages * PAGE_BYTES
    this.pageCount = memory.buffer.byteLength / PAGE_BYTES
    if (this.pageCount > 1) this.addFree(1, this.pageCount - 1)
    this.refreshViews()
  }

  /** Bytes in blocks and arena chunks now, in whole pages. */
  get usedBytes(): number {
    return this.usedPages * PAGE_BYTES
  }

  /** The most that `usedBytes` has been. */
  get peakBytes(): number {
    return this.peakPages * PAGE_BYTES
  }

  /** Bytes of the arena's chunks, in use or kept for reuse. */
  get scratchBytes(): number {
    return this.chunks.reduce((sum, { capacity }) => sum + capacity, 0)
  }

  /** Of these, what a job pays for: another may have made the arena grow. */
  scratchBytesOf(account: MemoryAccount): number {
    const paid = this.chunks.filter(({ pointer }) => this.payers.get(Math.floor(pointer / PAGE_BYTES)) === account)
    return paid.reduce((sum, { capacity }) => sum + capacity, 0)
  }

  /** Free runs of pages: 0 or 1 where everything has been freed. */
  get freeRunCount(): number {
    return this.freeFrom.size
  }

  /**
   * A block of at least `byteLength` bytes, contents unspecified, that lives until `free`.
   * @throws MillraceError `MR_MEMORY_LIMIT`
   */
  allocate(byteLength: number): number {
    if (byteLength + SLACK_BYTES > MOST_SMALL_BYTES) {
      const pages = pagesFor(byteLength)
      const first = this.takePages(pages, byteLength)
      this.runs.set(first, pages)
      return first * PAGE_BYTES
    }
    const shift = 32 - Math.clz32(Math.max(LEAST_SMALL_BYTES, byteLength + SLACK_BYTES) - 1)
    const roomy = this.roomy[shift]
    let slab = roomy[roomy.length - 1]
    if (slab === undefined) {
      slab = this.makeSlab(1 << shift, byteLength)
      roomy.push(slab)
    }
    const pointer = slab.free.pop() ?? freshBlock(slab)
    if (slab.free.length === 0 && slab.begun === PAGE_BYTES) roomy.pop()
    return pointer
  }

  /** Gives back a block of `allocate` or `reallocate`; 0 is ignored. */
  free(pointer: number): void {
    if (pointer === 0) return
    const page = Math.floor(pointer / PAGE_BYTES)
    const pages = this.runs.get(page)
    if (pages !== undefined) {
      this.runs.delete(page)
      this.givePages(page, pages)
      return
    }
    const slab = this.slabs.get(page)
    if (slab === undefined) throw new Error(`free: ${pointer} is not a block`)
    const roomy = this.roomy[31 - Math.clz32(slab.blockBytes)]
    if (slab.free.push(pointer) === 1 && slab.begun === PAGE_BYTES) roomy.push(slab)
    if (slab.free.length * slab.blockBytes === slab.begun) {
      roomy.splice(roomy.indexOf(slab), 1)
      this.slabs.delete(page)
      this.givePages(page, 1)
    }
  }

  /**
   * A block of at least `byteLength` bytes that begins with the old one's contents; the old pointer is gone. 0 allocates.
   * @throws MillraceError `MR_MEMORY_LIMIT`, and then the old block is as it was.
   */
  reallocate(pointer: number, byteLength: number): number {
    if (pointer === 0) return this.allocate(byteLength)
    const page = Math.floor(pointer / PAGE_BYTES)
    const pages = this.runs.get(page)
    const capacity =
      (pages === undefined ? (this.slabs.get(page) as Slab).blockBytes : pages * PAGE_BYTES) - SLACK_BYTES
    if (byteLength <= capacity) return pointer
    if (pages !== undefined && this.extend(page, pages, pagesFor(byteLength))) return pointer
    const moved = this.allocate(byteLength)
    this.u8.copyWithin(moved, pointer, pointer + capacity)
    this.free(pointer)
    return moved
  }

  /**
   * A block in the arena, 16-byte aligned, contents unspecified, that lives until the arena is reset to a mark before it.
   * @throws MillraceError `MR_MEMORY_LIMIT`
   */
  scratch(byteLength: number): number {
    const rounded = Math.ceil(byteLength / 16) * 16
    const chunk = this.chunks[this.chunkIndex]
    if (chunk !== undefined && this.chunkOffset + rounded <= chunk.capacity) {
      const pointer = chunk.pointer + this.chunkOffset
      this.chunkOffset += rounded
      return pointer
    }
    return this.scratchElsewhere(rounded)
  }

  /** The arena's position. Marks nest: resetting to one makes all later ones void. */
  mark(): number {
    return (this.chunks[this.chunkIndex]?.base ?? 0) + this.chunkOffset
  }

  /** Gives back all that `scratch` has given since `mark`; the chunks stay for reuse. */
  reset(mark: number): void {
    while (this.chunkIndex > 0 && this.chunks[this.chunkIndex].base > mark) this.chunkIndex--
    this.chunkOffset = mark - (this.chunks[this.chunkIndex]?.base ?? 0)
  }

  /** Returns arena chunks that hold nothing to the allocator. */
  trim(): void {
    const kept = this.mark() === 0 ? 0 : this.chunkIndex + 1
    for (const chunk of this.chunks.splice(kept)) this.free(chunk.pointer)
  }

  /** A view, stale after the next allocation. */
  bytes(pointer: number, byteLength: number): Uint8Array<ArrayBuffer> {
    return this.u8.subarray(pointer, pointer + byteLength)
  }

  private scratchElsewhere(rounded: number): number {
    const next = this.chunks.length === 0 ? 0 : this.chunkIndex + 1
    let index = next
    while (index < this.chunks.length && this.chunks[index].capacity < rounded) index++
    if (index === this.chunks.length) {
      // All behind the current chunk are empty and too small: one that can replace them keeps the arena in few pieces.
      const least = Math.min(LEAST_CHUNK_BYTES, (this.account?.shareBytes ?? Infinity) / 16)
      let capacity = Math.max(rounded, least - SLACK_BYTES)
      for (const chunk of this.chunks.splice(next)) {
        capacity += chunk.capacity
        this.free(chunk.pointer)
      }
      const last = this.chunks[this.chunks.length - 1]
      const pointer = this.allocateChunk(capacity, rounded)
      this.chunks.push({ ...pointer, base: last === undefined ? 0 : last.base + last.capacity })
      index = this.chunks.length - 1
    }
    this.chunkIndex = index
    this.chunkOffset = rounded
    return this.chunks[index].pointer
  }

  /** A chunk of `capacity`, or of no more than is asked for where memory is short: half of what there is is left to blocks. */
  private allocateChunk(capacity: number, least: number): { pointer: number; capacity: number } {
    const pages = pagesFor(capacity)
    const mayTake = this.account?.hasRoom(2 * pages) ?? true
    const fits = mayTake && this.freePages() + this.maximumPages - this.pageCount >= pages
    const byteLength = fits ? pages * PAGE_BYTES - SLACK_BYTES : least
    try {
      return { pointer: this.allocate(byteLength), capacity: byteLength }
    } catch (error) {
      if (byteLength === least) throw error
      return { pointer: this.allocate(least), capacity: least }
    }
  }

  private freePages(): number {
    let pages = 0
    for (const count of this.freeFrom.values()) pages += count
    return pages
  }

  private makeSlab(blockBytes: number, byteLength: number): Slab {
    const page = this.takePages(1, byteLength)
    const slab = { page, blockBytes, free: [], begun: 0 }
    this.slabs.set(page, slab)
    return slab
  }

  private takePages(pages: number, byteLength: number): number {
    const { account } = this
    if (account?.hasRoom(pages) === false) throw account.overBudget(byteLength)
    let first = this.bestFit(pages)
    if (first < 0) {
      this.grow(pages, byteLength)
      first = this.bestFit(pages)
    }
    const available = this.removeFree(first)
    if (available > pages) this.addFree(first + pages, available - pages)
    if (account !== null) this.payers.set(first, account)
    this.countUsed(pages)
    return first
  }

  private givePages(first: number, pages: number): void {
    this.usedPages -= pages
    const payer = this.payers.get(first)
    if (payer !== undefined) {
      payer.usedPages -= pages
      this.payers.delete(first)
    }
    const after = this.freeFrom.has(first + pages) ? this.removeFree(first + pages) : 0
    const beforeFirst = this.freeUntil.get(first)
    const before = beforeFirst === undefined ? 0 : this.removeFree(beforeFirst)
    this.addFree(first - before, before + pages + after)
  }

  /** Lengthens a run into the free run or the end of memory behind it, without moving it. */
  private extend(first: number, pages: number, wanted: number): boolean {
    // A block that another job paid for is moved, and so becomes this one's.
    if ((this.payers.get(first) ?? null) !== this.account || this.account?.hasRoom(wanted - pages) === false)
      return false
    const end = first + pages
    const behind = this.freeFrom.get(end) ?? 0
    if (behind < wanted - pages) {
      const missing = wanted - pages - behind
      if (end + behind !== this.pageCount || this.pageCount + missing > this.maximumPages) return false
      if (!this.growBy(missing)) return false
    }
    const available = this.removeFree(end)
    const rest = available - (wanted - pages)
    if (rest > 0) this.addFree(first + wanted, rest)
    this.runs.set(first, wanted)
    this.countUsed(wanted - pages)
    return true
  }

  private bestFit(pages: number): number {
    let best = -1
    let bestCount = Infinity
    for (const [first, count] of this.freeFrom) {
      if (count >= pages && count < bestCount) {
        best = first
        bestCount = count
        if (count === pages) break
      }
    }
    return best
  }

  private grow(pages: number, byteLength: number): void {
    const lastFree = this.freeUntil.get(this.pageCount)
    const missing = pages - (lastFree === undefined ? 0 : this.pageCount - lastFree)
    // Growth only reserves: pages cost when first touched. An eighth more keeps its count, and that of remade views, low.
    const generous = Math.min(this.maximumPages - this.pageCount, Math.max(missing, this.pageCount >> 3, 16))
    if (generous >= missing && this.growBy(generous)) return
    if (missing <= this.maximumPages - this.pageCount && this.growBy(missing)) return
    const operator = this.account?.operator
    throw new MillraceError(
      'MR_MEMORY_LIMIT',
      `${operator ?? 'a lane'} needs ${byteLength} more bytes, but ${this.usedBytes} of the lane's ${this.maximumBytes} are in use and no free ` +
        'stretch or growth is large enough; raise the memory option of createEngine, use more lanes, or work on fewer columns or groups at a time',
      {
        requestedBytes: byteLength,
        usedBytes: this.usedBytes,
        maximumBytes: this.maximumBytes,
        ...(operator === undefined ? {} : { operator }),
      },
    )
  }

  /** Grows by exactly so many pages and frees them; false where the engine refuses. */
  private growBy(pages: number): boolean {
    try {
      this.memory.grow(pages)
    } catch {
      return false
    }
    const first = this.pageCount
    this.pageCount += pages
    this.refreshViews()
    this.usedPages += pages
    this.givePages(first, pages)
    return true
  }

  private addFree(first: number, pages: number): void {
    this.freeFrom.set(first, pages)
    this.freeUntil.set(first + pages, first)
  }

  private removeFree(first: number): number {
    const pages = this.freeFrom.get(first) as number
    this.freeFrom.delete(first)
    this.freeUntil.delete(first + pages)
    return pages
  }

  /** A copy of some bytes in a buffer of its own, which can be transferred. */
  copyOut(pointer: number, byteLength: number): ArrayBuffer {
    const bytes = this.bytes(pointer, byteLength)
    if (this.freshBuffer === null) return bytes.slice().buffer
    const buffer = this.freshBuffer(byteLength)
    new Uint8Array(buffer).set(bytes)
    return buffer
  }

  private countUsed(pages: number): void {
    this.usedPages += pages
    if (this.usedPages > this.peakPages) this.peakPages = this.usedPages
    const { account } = this
    if (account !== null) {
      account.usedPages += pages
      account.peakPages = Math.max(account.peakPages, account.usedPages)
    }
  }

  private refreshViews(): void {
    const buffer = this.memory.buffer as ArrayBuffer
    this.u8 = new Uint8Array(buffer)
    this.i8 = new Int8Array(buffer)
    this.u16 = new Uint16Array(buffer)
    this.i16 = new Int16Array(buffer)
    this.u32 = new Uint32Array(buffer)
    this.i32 = new Int32Array(buffer)
    this.i64 = new BigInt64Array(buffer)
    this.f32 = new Float32Array(buffer)
    this.f64 = new Float64Array(buffer)
  }
}

function freshBlock(slab: Slab): number {
  const pointer = slab.page * PAGE_BYTES + slab.begun
  slab.begun += slab.blockBytes
  return pointer
}

const pagesFor = (byteLength: number): number => Math.max(1, Math.ceil((byteLength + SLACK_BYTES) / PAGE_BYTES))

/** Blocks of these sizes for as long as `use` runs; given back whatever happens. */
export function withBlocks(
  memory: LaneMemory,
  sizes: readonly number[],
  use: (pointers: readonly number[]) => void,
): void {
  const blocks: number[] = []
  try {
    for (const byteLength of sizes) blocks.push(memory.allocate(byteLength))
    use(blocks)
  } finally {
    for (const pointer of blocks) memory.free(pointer)
  }
}
