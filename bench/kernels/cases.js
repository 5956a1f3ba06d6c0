// What is measured of each family of kernels: over columns in a lane's memory, a morsel at a time as the operators go; kernels.js times it.

const MORSEL_ROWS = 65_536

/**
 * @typedef {object} Case
 * @property {string} family
 * @property {string} name
 * @property {number} byteLength what is read and written, each byte once
 * @property {() => string} run does all of it, and says which kernel did
 * @property {() => void} check throws where what `run` left is not what the plain loop, run after it, came to
 * @property {(() => void) | null} plain the plain loop that it is held against
 * @property {number | null} target of the ratio to that
 */

/**
 * A lane of its own with the columns in it.
 *
 * @param {typeof import('./library.js')} library
 * @param {any} k a `Kernels`
 * @param {any} loops exports of ../floor/loops.ts over the same memory
 * @param {Record<string, Int32Array | Float64Array>} columns of equal length
 * @returns {Case[]}
 */
export function kernelCases(library, k, loops, columns) {
  const {
    aggregates,
    argsort,
    compare,
    createAggregation,
    createGroupTable,
    createPartitions,
    extremes,
    float64,
    int32,
    integers,
    selection,
    take,
  } = library
  const { memory } = k
  const rowCount = columns.v1.length
  const pointers = {}
  for (const name in columns) pointers[name] = place(memory, columns[name])
  const groupCounts = { small: 100, middle: 10_000, large: Math.max(1, Math.floor(rowCount / 100)) }
  /** Where the last results were evaluated, in scratch: there until the next run. */
  let results = 0
  const plainSums = memory.allocate(8 * Math.max(...Object.values(groupCounts)))

  const vector = (name, from, length) => {
    const isFloat = columns[name] instanceof Float64Array
    return {
      type: isFloat ? float64() : int32(),
      length,
      data: pointers[name] + columns[name].BYTES_PER_ELEMENT * from,
      validity: 0,
      dictionary: null,
      range: null,
    }
  }
  const bytesOf = (...names) => names.reduce((sum, name) => sum + columns[name].byteLength, 0)
  /** Calls `work` for every morsel, whose scratch is given back. */
  const morsels = work => {
    for (let from = 0; from < rowCount; from += MORSEL_ROWS) {
      const mark = memory.mark()
      work(from, Math.min(MORSEL_ROWS, rowCount - from))
      memory.reset(mark)
    }
  }

  const filter = (name, op, value) => ({
    family: 'filter',
    name: `${name} ${op} ${value} to a bitmap`,
    byteLength: bytesOf(name) + rowCount / 8,
    run: () => {
      morsels((from, count) => {
        const column = vector(name, from, count)
        compare(k, op, column, { type: column.type, value }, count)
      })
      return ''
    },
  })

  const select = share => ({
    family: 'select',
    name: `the rows of a bitmap, ${share}% of v3`,
    byteLength: bytesOf('v3') + rowCount / 8 + (rowCount * share * (4 + 8)) / 100,
    run: () => {
      morsels((from, count) => {
        const column = vector('v3', from, count)
        const bits = compare(k, 'lt', column, { type: column.type, value: share }, count)
        const { indices, count: taken } = selection(k, bits, count)
        take(k, column, indices, taken)
      })
      return ''
    },
  })

  const group = (text, ...names) => ({
    family: 'group index',
    name: text,
    byteLength: bytesOf(...names) + 4 * rowCount,
    run: () => {
      const table = createGroupTable(
        k,
        names.map(name => vector(name, 0, 0).type),
      )
      morsels((from, count) => {
        const keys = names.map(name => vector(name, from, count))
        table.cover(keys, count)
        table.find(keys, count)
      })
      const { kernel } = table
      table.free()
      return kernel
    },
  })

  /** `names` are the inputs, `groups` a column of group numbers or null for one group. */
  const aggregate = (family, name, groups, names, parameters = {}) => ({
    family,
    name: `${name}(${names.join(', ')}) by ${groups ? groupCounts[groups] : 1}`,
    byteLength: bytesOf(...names) + (groups ? 4 * rowCount : 0),
    run: () => {
      const inputs = names.map(input => vector(input, 0, 0).type)
      const spec = { function: name, inputs, inputIndex: 0, parameters, label: name }
      const dictionaries = { create: noStrings, retain: noStrings, release: noStrings }
      const aggregation = createAggregation({ k, dictionaries, parts: { aggregates, extremes, integers } }, [spec])
      const groupCount = groups ? groupCounts[groups] : 1
      aggregation.resize(groupCount)
      morsels((from, count) => {
        const input = { vectors: names.map(input => vector(input, from, count)), validity: 0 }
        aggregation.update(groups ? pointers[groups] + 4 * from : 0, [input], count, from)
      })
      const mark = memory.mark()
      aggregation.open(0, groupCount)
      results = aggregation.evaluate(groupCount)[0].data
      memory.reset(mark)
      const [kernel] = aggregation.kernels
      aggregation.free()
      return kernel
    },
  })

  const sum = (input, groups, target) => {
    const isFloat = columns[input] instanceof Float64Array
    const loop = isFloat ? loops.sumBy : loops.sumIntBy
    return {
      ...aggregate('sum', 'sum', groups, [input]),
      target,
      check: () => {
        const values = isFloat ? memory.f64 : memory.i64
        for (let group = 0; group < groupCounts[groups]; group++) {
          const [own, plain] = [results, plainSums].map(pointer => Number(values[(pointer >>> 3) + group]))
          // Sums of values of both signs cancel: what the plain loop has lost is bounded by the largest value.
          const scale = input === 'wide' ? 1e150 : Math.abs(plain)
          if (!(Math.abs(own - plain) <= 1e-9 * scale)) throw new Error(`group ${group} sums to ${own}, not ${plain}`)
        }
      },
      plain: () => {
        memory.u8.fill(0, plainSums, plainSums + 8 * groupCounts[groups])
        const width = columns[input].BYTES_PER_ELEMENT
        morsels((from, count) => loop(pointers[input] + width * from, pointers[groups] + 4 * from, count, plainSums))
      },
    }
  }

  /** Rows and their groups are read, and written again side by side. */
  const partition = groups => ({
    family: 'radix partition',
    name: `v3 into 256 parts by ${groupCounts[groups]} groups`,
    byteLength: 2 * bytesOf('v3', groups),
    run: () => {
      const partitions = createPartitions(k, 8)
      partitions.resize(groupCounts[groups])
      morsels((from, count) => partitions.append(pointers[groups] + 4 * from, pointers.v3 + 8 * from, count))
      partitions.free()
      return ''
    },
  })

  const sort = name => ({
    family: 'sort',
    name: `order of ${name}`,
    byteLength: bytesOf(name) + 4 * rowCount,
    run: () => {
      const mark = memory.mark()
      argsort(k, [{ vector: vector(name, 0, rowCount), descending: false, nulls: 'last' }], rowCount)
      memory.reset(mark)
      return ''
    },
  })

  const sizes = Object.keys(groupCounts)
  const kept = [
    aggregate('moments', 'variance', 'middle', ['v3']),
    aggregate('moments', 'correlation', 'middle', ['v1', 'v3']),
    aggregate('kept values', 'median', 'middle', ['v3']),
    aggregate('select-k', 'topK', 'large', ['v3'], { n: 2 }),
    aggregate('distinct', 'countDistinct', 'small', ['large']),
    aggregate('sketches', 'approxCountDistinct', 'small', ['large'], { precision: 14 }),
    aggregate('sketches', 'approxQuantile', 'small', ['v3'], { q: 0.5, error: 0.01 }),
  ].filter(({ name }) => aggregates.FAMILIES[name.slice(0, name.indexOf('('))] !== undefined)
  return [
    filter('v3', 'gt', 50),
    filter('v1', 'eq', 3),
    select(1),
    select(50),
    group('one key of 100', 'small'),
    group('two keys of 100', 'small', 'other'),
    group('one key of rows / 100', 'large'),
    group('the same, all over int32', 'spread'),
    group('two such keys, as many groups as rows', 'spread', 'large'),
    aggregate('count', 'count', 'large', []),
    ...sizes.map(groups => sum('v1', groups, null)),
    ...['whole', 'v3', 'prices', 'normal'].flatMap(input => sizes.map(groups => sum(input, groups, 2.5))),
    ...sizes.map(groups => sum('wide', groups, 6)),
    aggregate('min and max', 'max', 'small', ['v1']),
    aggregate('min and max', 'max', 'large', ['v1']),
    aggregate('min and max', 'max', 'large', ['v3']),
    ...kept,
    partition('large'),
    sort('v1'),
    sort('v3'),
  ].map(each => ({ plain: null, check: () => {}, target: null, ...each }))
}

/** The column in a block of the lane's. */
function place(memory, column) {
  const pointer = memory.allocate(column.byteLength)
  memory.u8.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), pointer)
  return pointer
}

function noStrings() {
  throw new Error('no case has strings')
}
