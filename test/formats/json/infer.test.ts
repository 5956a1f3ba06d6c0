/** NDJSON and JSON inferred, against records that the test made and wrote itself, and real files whose types were looked at. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { schema } from '../../../src/columnar/schema.js'
import { float64, int32, list, struct, typeName, utf8 } from '../../../src/columnar/type.js'
import { MillraceError } from '../../../src/errors.js'
import { inferJson, type JsonInferOptions } from '../../../src/formats/json/infer.js'
import { expectedType } from '../sorted-values.js'
import { type Made, made } from './made-records.js'

const bytesOf = (text: string) => new TextEncoder().encode(text)
const infer = (text: string, options: JsonInferOptions = {}, isWhole = true) =>
  inferJson(bytesOf(text), isWhole, options)
/** `name:type`, without nullable(). */
const columnsOf = (text: string, options?: JsonInferOptions) => {
  const { fields, types } = infer(text, options)
  return fields.map((name, i) => `${name}:${typeName({ ...types[i], nullable: false })}`).join(' ')
}
const refusal = (run: () => unknown): MillraceError => {
  try {
    run()
  } catch (error) {
    expect(error).toBeInstanceOf(MillraceError)
    return error as MillraceError
  }
  throw new Error('nothing was refused')
}

/** The columns that must come of it; those that never have a value are not seen where nulls are not written. */
function expectedColumns({ paths, table, isList }: Made): Map<string, string> {
  const columns = new Map<string, string>()
  for (const [c, path] of paths.entries()) {
    const type = expectedType(table[c], 'float64')
    const values = table[c].filter(value => value !== null)
    const kinds = new Set(values.map(({ sort }) => (['date', 'time', 'text'].includes(sort) ? 'string' : sort)))
    const isMixed = type === 'utf8' && kinds.size > 1
    if (values.length === 0) continue
    columns.set(path.join('.'), isList[c] && !isMixed ? `nullable(list(nullable(${type})))` : `nullable(${type})`)
  }
  return columns
}

describe('records that were written', () => {
  test('come back as they were made, whichever way they are laid out', () => {
    fc.assert(
      fc.property(made, fc.constantFrom('\n', '\r\n', '\n\n'), (input, lineBreak) => {
        const lines = infer(input.records.join(lineBreak))
        expect(lines.layout).toBe('lines')
        expect(lines.report.rows).toBe(input.records.length)
        expect(lines.paths.map(path => path.join('.'))).toEqual(lines.fields)
        const expected = expectedColumns(input)
        for (const [i, name] of lines.fields.entries()) {
          const column = input.paths.findIndex(path => path.join('.') === name)
          // An object with nothing in it is all that is seen of some.
          if (column < 0) continue
          expect([name, typeName(lines.types[i])]).toEqual([name, expected.get(name) ?? 'nullable(utf8)'])
          expect(lines.report.columns[i].values).toBe(input.table[column].filter(value => value !== null).length)
        }
        expect(lines.fields).toEqual(expect.arrayContaining([...expected.keys()]))

        const array = `[${input.records.join(`,${lineBreak}`)}]`
        const document = `{"n": [1, {"items": 2}], "data": {"skip": "]}", "items": ${array}}, "z": 1}`
        const begin = bytesOf(document.slice(0, document.indexOf(array))).length
        for (const [text, options, dataOffset] of [
          [array, {}, 1],
          [`\ufeff${array}`, {}, 4],
          [document, { path: 'data.items' }, begin + 1],
        ] as const) {
          const { fields, types, paths, layout, report, ...rest } = infer(text, options)
          expect({ fields, types, paths, layout, rows: report.rows, offset: rest.dataOffset }).toEqual({
            fields: lines.fields,
            types: lines.types,
            paths: lines.paths,
            layout: 'array',
            rows: input.records.length,
            offset: dataOffset,
          })
        }
      }),
      { numRuns: 120 },
    )
  })

  test('cut at any byte never fail behind the first record, and what is left out is the record that was cut', () => {
    const cutting = (text: string, options: JsonInferOptions, rows: number) => {
      const bytes = bytesOf(text)
      let before = 0
      for (let end = 0; end <= bytes.length; end++) {
        let now = 0
        try {
          now = inferJson(bytes.subarray(0, end), false, options).report.rows
        } catch (error) {
          expect(error).toBeInstanceOf(MillraceError)
          expect([before, (error as MillraceError).details.incomplete]).toEqual([0, true])
        }
        expect(now === before || now === before + 1).toBe(true)
        before = now
      }
      expect(before).toBe(rows)
    }
    fc.assert(
      fc.property(made, ({ records }) => {
        cutting(`${records.join('\n')}\n`, {}, records.length)
        cutting(`[${records.join(',')}]`, {}, records.length)
        cutting(`{"n": 1, "data": [${records.join(',')}]}`, { path: 'data' }, records.length)
      }),
      { numRuns: 4 },
    )
  })

  test('any bytes at all are inferred or refused by a code', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '"a"',
      '"a.b"',
      '1',
      'true',
      'null',
      '\n',
      '{"a":1}',
      '{"a":{"b":2}}',
    )
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 14 }),
        fc.boolean(),
        fc.constantFrom<JsonInferOptions>({}, { path: 'a' }, { path: 'a.b' }, { layout: 'lines' }, { layout: 'array' }),
        (parts, isWhole, options) => {
          try {
            const { fields, types, paths } = infer(parts.join(''), options, isWhole)
            expect([types.length, paths.length]).toEqual([fields.length, fields.length])
          } catch (error) {
            expect(error).toBeInstanceOf(MillraceError)
          }
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('types', () => {
  test('of numbers', () => {
    expect(columnsOf('{"a":1,"b":1.0,"c":9223372036854775808,"d":1e3}')).toBe('a:int64 b:float64 c:float64 d:float64')
    expect(columnsOf('{"a":9223372036854775807}\n{"a":-9223372036854775808}')).toBe('a:int64')
  })

  test('of strings are theirs, but for dates', () => {
    expect(columnsOf('{"a":"1","b":"2024-01-01","c":"2024-01-01T10:00:00Z","d":"true","e":" 2024-01-01"}')).toBe(
      "a:utf8 b:date c:timestamp('ms') d:utf8 e:utf8",
    )
  })

  test('of what is mixed are utf8', () => {
    for (const values of [
      ['1', '"a"'],
      ['true', '1'],
      ['{}', '1'],
      ['[1]', '1'],
      ['[1]', '{}'],
      ['[1]', '["a"]'],
      ['[[1]]'],
      ['[{"b":1}]'],
      ['{}'],
    ]) {
      expect(columnsOf(values.map(value => `{"a":${value}}`).join('\n'), { layout: 'lines' })).toBe('a:utf8')
    }
    expect(columnsOf('{"a":{"b":1}}\n{"a":7}\n{"a":{"c":1}}')).toBe('a:utf8')
  })

  test('of arrays of scalars are lists', () => {
    const types = (text: string) => infer(text).types.map(typeName)
    expect(types('{"a":[1,null],"b":["x"],"c":[]}\n{"a":[2.5],"b":[],"c":null}')).toEqual([
      'nullable(list(nullable(float64)))',
      'nullable(list(nullable(utf8)))',
      'nullable(list(nullable(utf8)))',
    ])
  })

  test('of a key that comes twice hold what both have, and it is one value', () => {
    const { report } = infer('{"a":1,"a":2.5}\n{"a":3}')
    expect(report.columns[0]).toMatchObject({ type: 'nullable(float64)', values: 2, nulls: 0 })
  })

  test('of nulls alone are text', () => {
    expect(columnsOf('{"a":null}\n{"b":null}')).toBe('a:utf8 b:utf8')
  })

  test('say what decided', () => {
    const reasons = (text: string) => infer(text, { layout: 'lines' }).report.columns.map(({ reason }) => reason)
    expect(reasons('{"a":1}\n{"a":3.5}')).toEqual(['3.5 in row 1 makes it float64'])
    expect(reasons('{"a":1}\nnope\n{"a":"x"}')).toEqual(['"x" in row 2 makes it utf8'])
    expect(reasons('{"a":{"b":1}}\n{"a":7}')).toEqual(['7 in row 1 among others: JSON text'])
    expect(reasons('{"a":[{"b":1}]}')).toEqual(['{"b":1} in row 0, in an array: JSON text'])
    expect(reasons('{"a":[1]}\n{"a":[2.5]}')).toEqual(['items: 2.5 in row 1 makes it float64'])
  })
})

describe('objects in records', () => {
  test('are columns in order of first appearance', () => {
    expect(columnsOf('{"a":{"x":1},"b":2}\n{"c":3,"a":{"y":4}}')).toBe('a.x:int64 b:int64 c:int64 a.y:int64')
    expect(infer('{"a":{"x":1}}').paths).toEqual([['a', 'x']])
  })

  test('are JSON text where they shall not be flattened', () => {
    expect(columnsOf('{"a":{"x":1},"b":2}', { flatten: false })).toBe('a:utf8 b:int64')
  })

  test('are JSON text where they have keys without end, or are too deep', () => {
    const wide = (row: number) => `{"m":{${Array.from({ length: 600 }, (_, i) => `"k${row}_${i}":1`).join(',')}}}`
    expect(columnsOf(`${wide(0)}\n${wide(1)}`)).toBe('m:utf8')
    const deep = `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`
    const { paths, types } = infer(deep)
    expect([paths.length, paths[0].length, typeName(types[0])]).toEqual([1, 32, 'nullable(utf8)'])
  })

  test('a key with a dot in it is a name like others, unless it is that of another place', () => {
    expect(infer('{"a.b":1,"c":{"d.e":2}}').paths).toEqual([['a.b'], ['c', 'd.e']])
    const error = refusal(() => infer('{"a.b":1,"a":{"b":2}}'))
    expect([error.code, error.details.column]).toEqual(['MR_DUPLICATE_COLUMN', 'a.b'])
    expect(error.message).toContain('flatten: false')
    expect(columnsOf('{"a.b":1,"a":{"b":2}}', { flatten: false })).toBe('a.b:int64 a:utf8')
  })
})

describe('where records are', () => {
  test('a document with records in it is refused, and its arrays are named', () => {
    const error = refusal(() => infer('{"meta":{"n":2},"data":{"items":[{"a":1}]},"ids":[1,2]}'))
    expect([error.code, error.details.candidates]).toEqual(['MR_FORMAT_ERROR', ['data.items']])
    expect(error.message).toContain("path: 'data.items'")
    // Cut within, too.
    expect(refusal(() => infer('{\n "items": [\n {"a":', {}, false)).details.candidates).toEqual(['items'])
  })

  test('one object is a record where there is nothing else it could be', () => {
    expect(columnsOf('{"a":1,"b":[1,2]}')).toBe('a:int64 b:list(nullable(int64))')
    expect(columnsOf('{"a":[{"b":1}]}\n{"a":null}')).toBe('a:utf8')
    expect(columnsOf('{"a":[{"b":1}]}', { layout: 'lines' })).toBe('a:utf8')
  })

  test('a path that leads nowhere is refused, with what is near', () => {
    const text = '{"meta":1,"data":{"items":[{"a":1}]}}'
    const tried = (path: string) => {
      const { code, message } = refusal(() => infer(text, { path }))
      return [code, message.slice(message.indexOf(':') + 1)]
    }
    expect(tried('data.item')[1]).toContain("did you mean path: 'data.items'?")
    expect(tried('meta.x')[1]).toContain('no object')
    expect(tried('data')[1]).toContain("give path: 'data.items'")
    expect(tried('rows')[0]).toBe('MR_FORMAT_ERROR')
    expect(refusal(() => infer('[1]', { path: 'a' })).code).toBe('MR_FORMAT_ERROR')
    expect(refusal(() => infer('{"a":1', { path: 'b' }, false)).details.incomplete).toBe(true)
    expect(refusal(() => infer('{}', { path: 'b', layout: 'lines' })).code).toBe('MR_INVALID_OPTION')
    expect(refusal(() => infer('{"a":[{"b":1}]}', { layout: 'array' })).details.byteOffset).toBe(0)
  })

  test('nothing at all has no columns', () => {
    for (const text of ['', ' \n', '[]', ' [ ] ']) expect(infer(text).fields).toEqual([])
    expect(infer('', { schema: schema({ a: int32() }) }).fields).toEqual(['a'])
  })
})

describe('what is malformed', () => {
  test('is passed over where lines tell what follows', () => {
    const { report } = infer('{"a":1}\n{"a":\n[1]\n7\n{"a":2}x\n{"a":3}')
    expect([report.rows, report.columns[0].values]).toEqual([2, 2])
  })

  test('is refused with its offset where no record is good, unless there is a schema', () => {
    const offset = (text: string) => refusal(() => infer(text)).details.byteOffset
    expect(offset('{"a":01}\n{"a":tru}')).toBe(5)
    expect(offset('{"a":1 "b"}')).toBe(7)
    expect(offset('[{"a":"\n"}]')).toBe(7)
    expect(offset('[1]')).toBe(1)
    expect(offset('[{"a":1')).toBe(7)
    expect(offset('name,size\n1,2\n')).toBe(0)
    expect(offset('{\n  "a": 1\n}\n')).toBe(1)
    expect(infer('{"a":01}', { schema: schema({ a: int32() }) }).report.rows).toBe(0)
  })

  test('ends what is looked at of an array', () => {
    expect(infer('[{"a":1},{"a":},{"a":2.5}]').report.rows).toBe(1)
  })
})

describe('a schema', () => {
  test('is matched by the names of places, whatever they hold', () => {
    const wanted = schema({ 'a.b': float64(), 'c.d': int32(), a: utf8(), later: utf8() })
    const { fields, types, paths, report } = infer('{"a":{"b":1},"c.d":2}', { schema: wanted })
    expect(fields).toEqual(['a.b', 'c.d', 'a', 'later'])
    expect(types).toEqual(Object.values(wanted))
    expect(paths).toEqual([['a', 'b'], ['c.d'], ['a'], ['later']])
    expect(report.columns.map(({ reason }) => reason)).toEqual([
      'declared',
      'declared',
      'declared',
      'declared; not in the sample',
    ])
    expect(infer('{"x":1}', { schema: schema({ 'p.q': int32() }) }).paths).toEqual([['p', 'q']])
    expect(infer('{"x":1}', { schema: schema({ 'p.q': int32() }), flatten: false }).paths).toEqual([['p.q']])
    expect(refusal(() => infer('{"a":{"b":1},"a.b":2}', { schema: wanted })).code).toBe('MR_DUPLICATE_COLUMN')
  })

  test('takes lists of scalars, and nothing deeper', () => {
    expect(infer('{"a":[1]}', { schema: schema({ a: list(int32()) }) }).fields).toEqual(['a'])
    for (const type of [struct({ b: int32() }), list(list(int32())), list(struct({ b: int32() }))]) {
      expect(refusal(() => infer('{}', { schema: schema({ a: type }) })).code).toBe('MR_TYPE_MISMATCH')
    }
  })
})

test('no more records are looked at than asked', () => {
  expect(columnsOf('{"a":1}\n{"a":2.5}', { sampleRows: 1 })).toBe('a:int64')
})

test.each([
  ['flights-200k.json', 'delay:int64 distance:int64 time:float64'],
  [
    'movies.json',
    'Title:utf8 US Gross:int64 Worldwide Gross:int64 US DVD Sales:int64 Production Budget:int64 Release Date:utf8 MPAA Rating:utf8 Running Time min:int64 Distributor:utf8 Source:utf8 Major Genre:utf8 Creative Type:utf8 Director:utf8 Rotten Tomatoes Rating:int64 IMDB Rating:float64 IMDB Votes:int64',
  ],
  [
    'cars.json',
    'Name:utf8 Miles_per_Gallon:float64 Cylinders:int64 Displacement:float64 Horsepower:int64 Weight_in_lbs:int64 Acceleration:float64 Year:date Origin:utf8',
  ],
  [
    'weekly-weather.json',
    'day:utf8 record.high:int64 record.low:int64 normal.high:int64 normal.low:int64 actual.high:int64 actual.low:int64 id:int64 forecast.high.high:int64 forecast.high.low:int64 forecast.low.high:int64 forecast.low.low:int64',
  ],
])('%s', (file, expected) => {
  // As a reader does: the beginning of the file.
  const sample = readFileSync(`node_modules/vega-datasets/data/${file}`).subarray(0, 1 << 20)
  const { fields, types } = inferJson(sample, sample.length < 1 << 20, {})
  expect(fields.map((name, i) => `${name}:${typeName({ ...types[i], nullable: false })}`).join(' ')).toBe(expected)
})

test('GeoJSON has its records at a path', () => {
  const sample = readFileSync('node_modules/vega-datasets/data/earthquakes.json')
  expect(refusal(() => inferJson(sample, true, {})).details.candidates).toEqual(['features'])
  const { fields } = inferJson(sample, true, { path: 'features' })
  expect(fields).toEqual(
    expect.arrayContaining([
      'type',
      'properties.mag',
      'properties.time',
      'geometry.type',
      'geometry.coordinates',
      'id',
    ]),
  )
})
