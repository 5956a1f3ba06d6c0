// Writes the files of this folder by DuckDB, which is among the peers of bench: `npm --prefix bench ci && node test/golden/duckdb/write.js`.

import { writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const bench = createRequire(new URL('../../../bench/package.json', import.meta.url))
const { DuckDBInstance } = await import(bench.resolve('@duckdb/node-api'))
const folder = fileURLToPath(new URL('.', import.meta.url))

const connection = await (await DuckDBInstance.create(':memory:')).connect()
await connection.run(`
create table kinds(id integer not null, yes boolean, i8 tinyint, i16 smallint, i32 integer, i64 bigint, u8 utinyint, u16 usmallint, u32 uinteger,
  f32 float, f64 double, text varchar, day date, s timestamp_s, ms timestamp_ms, us timestamp, ns timestamp_ns);
insert into kinds values
  (1, true, -128, -32768, -2147483648, -9223372036854775808, 0, 0, 0, 0.1, 0.1, 'plain', '1970-01-01', '1970-01-01 00:00:00', '1970-01-01 00:00:00.001', '1970-01-01 00:00:00.000001', '1970-01-01 00:00:00.000000001'),
  (2, false, 127, 32767, 2147483647, 9223372036854775807, 255, 65535, 4294967295, 3.4028235e38, 1.7976931348623157e308, 'a,b "c"', '1969-12-31', '1969-12-31 23:59:59', '1969-12-31 23:59:59.999', '1969-12-31 23:59:59.999999', '1969-12-31 23:59:59.999999999'),
  (3, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null),
  (4, true, 1, 1, 1, 1, 1, 1, 1, -1.5, 5e-324, 'two' || chr(10) || 'lines', '9999-12-31', '2262-04-11 23:47:16', '9999-12-31 23:59:59.999', '9999-12-31 23:59:59.999999', '2262-04-11 23:47:16.854775806'),
  (5, false, -1, -1, -1, -1, 2, 2, 2, 16777216, -123456789.125, 'Zürich 😀 ''quoted''', '2000-02-29', '2000-02-29 12:00:00', '2000-02-29 12:00:00.5', '2000-02-29 12:00:00.25', '2000-02-29 12:00:00.125');
create table lists(id integer not null, numbers integer[], words varchar[], nested struct(x double, y varchar));
insert into lists values (1, [1, 2, null], ['a', 'b,c'], {x: 1.5, y: 'one'}), (2, [], [], {x: null, y: 'two'}), (3, null, null, {x: -0.5, y: null});
create table listed as select i::integer id,
  case when i % 7 = 3 then null else list_transform(range(i % 5), j -> case when (i + j) % 4 = 1 then null else (i * j)::integer end) end as numbers,
  list_transform(range(i % 3), j -> 'word ' || (i + j) % 11) as words,
  case when i % 2 = 0 then [i::varchar || ' text', null, ''] end as texts,
  [i % 2 = 0, null, i % 3 = 0] as flags,
  [i::bigint * 4294967296, -i] as big,
  [i / 8, null] as reals,
  [date '2020-01-01' + i::integer] as days,
  [timestamp '2020-01-01 00:00:00.000001' + to_seconds(i)] as times
from range(2500) t(i);
`)
for (const [table, format, options] of [
  ['kinds', 'csv', ''],
  ['kinds', 'tsv', "(format csv, delimiter '\\t', header)"],
  ['kinds', 'ndjson', '(format json)'],
  ['kinds', 'json', '(format json, array true)'],
  ['kinds', 'parquet', '(format parquet, compression snappy)'],
  ['lists', 'ndjson', '(format json)'],
  ['listed', 'parquet', '(format parquet, row_group_size 2048)'],
]) {
  await connection.run(`copy ${table} to '${folder}${table}.${format}' ${options}`)
}

// What it makes of three million flights, by origin.
const flights = fileURLToPath(new URL('../../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url))
const reader = await connection.runAndReadAll(`
select origin, count(*)::integer n, avg(delay) mean, var_samp(delay) variance, stddev_pop(delay) deviation, corr(delay, distance) correlation,
  covar_samp(delay, distance) covariance, regr_slope(delay, distance) slope, median(delay) median, quantile_cont(delay, 0.9) ninth,
  count(distinct destination)::integer destinations, min(delay)::integer least, max(delay)::integer most
from '${flights}' group by origin order by origin`)
await writeFile(new URL('flights.json', import.meta.url), `[\n${reader.getRowObjectsJson().map(row => JSON.stringify(row)).join(',\n')}\n]\n`)

// And of these joined to their airports: by state, flown north or not, and every kind of join with the airports of the north alone.
const airports = fileURLToPath(new URL('../../../node_modules/vega-datasets/data/airports.csv', import.meta.url))
await connection.run(`create view flights as from '${flights}'`)
await connection.run(`create view airports as from read_csv('${airports}', header = true)`)
await connection.run('create view north as from airports where latitude > 37')
const rowsOf = async sql => (await connection.runAndReadAll(sql)).getRowObjectsJson()
const states = await rowsOf(`
select a.state, count(*)::integer n, sum(f.delay)::integer delay, max(f.distance)::integer furthest, count(distinct b.city)::integer cities,
  (count(*) filter (b.latitude > a.latitude))::integer northward, avg(b.longitude) longitude
from flights f join airports a on f.origin = a.iata join airports b on f.destination = b.iata group by a.state order by a.state`)
const kinds = {}
for (const [kind, join] of Object.entries({ join: 'join', leftJoin: 'left join', rightJoin: 'right join', fullJoin: 'full join' })) {
  ;[kinds[kind]] = await rowsOf(`
select count(*)::integer n, sum(delay)::integer delay, count(origin)::integer flights, count(state)::integer airports, sum(latitude) latitude
from flights ${join} north on origin = iata`)
}
for (const [kind, join] of Object.entries({ semiJoin: 'semi join', antiJoin: 'anti join' })) {
  ;[kinds[kind]] = await rowsOf(`
select count(*)::integer n, sum(delay)::integer delay, count(origin)::integer flights from flights ${join} north on origin = iata`)
}
const text = `{\n"states": [\n${states.map(row => JSON.stringify(row)).join(',\n')}\n],\n"kinds": ${JSON.stringify(kinds, null, 1)}\n}\n`
await writeFile(new URL('airports.json', import.meta.url), text)
