/** Arbitrary shapes of records, and records that go with them more or less. */

import * as fc from 'fast-check'
import {
  bool,
  type DataType,
  date,
  float32,
  float64,
  int8,
  int16,
  int32,
  int64,
  list,
  nullable,
  timestamp,
  uint8,
  uint16,
  uint32,
  utf8,
} from '../../src/columnar/type.js'
import type { JsonShape } from '../../src/kernels/text-rows.js'
import { type Members, numberText, stringText, style, timeText, valueText, write } from './json-texts.js'

/** Columns, where they are found, and what mostly is there. */
const COLUMNS: Readonly<Record<string, { type: DataType; path: string[]; value: fc.Arbitrary<string> }>> = {
  a: { type: int32(), path: ['a'], value: numberText },
  b: { type: utf8(), path: ['b'], value: stringText },
  c: { type: float64(), path: ['c'], value: numberText },
  d: { type: bool(), path: ['d'], value: fc.constantFrom('true', 'false') },
  e: { type: int64(), path: ['e'], value: numberText },
  t: { type: timestamp('ms'), path: ['t'], value: timeText },
  ns: { type: timestamp('ns'), path: ['t'], value: timeText },
  day: { type: date(), path: ['day'], value: timeText },
  l: {
    type: list(nullable(utf8())),
    path: ['l'],
    value: fc.array(stringText, { maxLength: 3 }).map(all => `[${all}]`),
  },
  m: {
    type: list(int8()),
    path: ['m'],
    value: fc.array(fc.constantFrom('1', '-7', '1.0'), { maxLength: 4 }).map(all => `[${all.join(' ,')}]`),
  },
  i8: { type: int8(), path: ['i'], value: fc.integer({ min: -128, max: 127 }).map(String) },
  u8: { type: uint8(), path: ['i'], value: fc.integer({ min: 0, max: 255 }).map(String) },
  i16: { type: int16(), path: ['i16'], value: numberText },
  u16: { type: uint16(), path: ['u16'], value: numberText },
  u32: { type: uint32(), path: ['u32'], value: numberText },
  f32: { type: float32(), path: ['f32'], value: numberText },
  ox: { type: int32(), path: ['o', 'x'], value: fc.constant('') },
  opq: { type: utf8(), path: ['o', 'p', 'q'], value: fc.constant('') },
  o: { type: utf8(), path: ['o'], value: fc.constant('') },
  long: { type: utf8(), path: ['a_key_that_is_longer_than_sixteen_bytes'], value: stringText },
  accent: { type: utf8(), path: ['é\n"'], value: stringText },
}

const KEYS: Readonly<Record<string, fc.Arbitrary<string>>> = {
  ...Object.fromEntries(Object.values(COLUMNS).map(({ path, value }) => [JSON.stringify(path[0]), value])),
  '"o"': fc.oneof(
    fc.constantFrom(
      '{}',
      '{"x":1}',
      '{"p":{"q":"r"},"x":2}',
      '{"p":{}}',
      '{"p":null,"x":3}',
      '{ "x" : 4 , "p" : { "q" : 5 } }',
    ),
    fc.constantFrom('{"x":1,"x":2}', '{"p":{"q":1},"p":{}}', '{"y":[{}],"p":{"z":0,"q":[1, 2]},"x":9}'),
    valueText,
  ),
  '"other"': valueText,
  '"more"': stringText,
  '""': numberText,
}

const shape: fc.Arbitrary<JsonShape> = fc
  .record({
    names: fc.subarray(Object.keys(COLUMNS), { minLength: 1, maxLength: 9 }),
    strict: fc.nat(),
    layout: fc.constantFrom('lines' as const, 'array' as const),
    fatal: fc.boolean(),
  })
  .map(({ names, strict, layout, fatal }) => ({
    fields: names,
    paths: names.map(name => COLUMNS[name].path),
    types: names.map((name, i) => (((strict >> i) & 3) === 3 ? COLUMNS[name].type : nullable(COLUMNS[name].type))),
    layout,
    fatal,
    collect: true,
  }))

const key = fc.constantFrom(...Object.keys(KEYS))
/** A key of the shape more often than not. */
const anyMembers = (keys: readonly string[]): fc.Arbitrary<Members> =>
  fc.array(
    fc
      .oneof(fc.constantFrom(...keys), key)
      .chain(name =>
        fc.tuple(
          fc.oneof(
            { weight: 9, arbitrary: fc.constant(name) },
            { weight: 1, arbitrary: fc.constantFrom('"\\u0061"', '"\\u006f"') },
          ),
          fc.oneof(
            { weight: 5, arbitrary: KEYS[name] },
            { weight: 1, arbitrary: valueText },
            { weight: 1, arbitrary: fc.constant('null') },
          ),
        ),
      ),
    { maxLength: 8 },
  )

/** Records that are mostly alike: the same keys in the same order, written the same way. */
const records = (keys: readonly string[]): fc.Arbitrary<string[]> =>
  fc.tuple(fc.shuffledSubarray([...new Set(keys)]), style).chain(([usual, usualStyle]) =>
    fc.array(
      fc.oneof(
        {
          weight: 3,
          arbitrary: fc
            .tuple(...usual.map(name => fc.tuple(fc.constant(name), KEYS[name])))
            .map(members => write(members as Members, usualStyle)),
        },
        { weight: 1, arbitrary: fc.tuple(anyMembers(keys), style).map(([members, its]) => write(members, its)) },
      ),
      { maxLength: 8 },
    ),
  )

export const document = (layout: 'lines' | 'array', all: readonly string[], gap: string): string =>
  layout === 'lines' ? all.join(`${gap}\n`) + (gap === '' ? '' : '\n') : `${gap}${all.join(`${gap},`)}]${gap}`

export const cases = shape.chain(chosen =>
  fc.record({
    shape: fc.constant(chosen),
    records: records(chosen.paths.map(([first]) => JSON.stringify(first))),
    gap: fc.constantFrom('', '', ' ', '\r', '\n', ' \t'),
  }),
)
