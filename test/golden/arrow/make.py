# Made these files, with pyarrow 26: `python make.py` beside them. What is in each column stands in the JSON file of the same name.
import json
import math
import pyarrow as pa
from pyarrow import ipc


def plain(value, kind):
    """As the tests compare it: integers and counts of time as strings, floats that JSON lacks by name."""
    if value is None:
        return None
    if isinstance(value, list):
        return [plain(item, kind.value_type) for item in value]
    if pa.types.is_integer(kind):
        return str(value)
    if pa.types.is_floating(kind) and not math.isfinite(value):
        return str(value)
    return value


def plain_column(column):
    kind = column.type
    if pa.types.is_dictionary(kind):
        values = plain_column(column.dictionary)
        return [None if code is None else values[code] for code in column.indices.to_pylist()]
    if pa.types.is_timestamp(kind) or pa.types.is_date64(kind):
        column = column.cast(pa.int64())
        kind = pa.int64()
    if pa.types.is_date32(kind):
        column = column.cast(pa.int32())
        kind = pa.int32()
    return [plain(value, kind) for value in column.to_pylist()]


def save(name, schema, batches, stream=False, unread=(), **options):
    path = f"{name}.{'arrows' if stream else 'arrow'}"
    make = ipc.new_stream if stream else ipc.new_file
    with make(path, schema, options=ipc.IpcWriteOptions(**options)) as writer:
        for batch in batches:
            writer.write_batch(batch)
    columns = {}
    for i, field in enumerate(schema):
        if field.name not in unread:
            parts = [batch.column(i) for batch in batches]
            columns[field.name] = [value for part in parts for value in plain_column(part)]
    rows = sum(batch.num_rows for batch in batches)
    with open(f"{path}.json", "w") as out:
        json.dump({"rows": rows, "columns": columns, "unread": list(unread)}, out)
        out.write("\n")


ROWS = 70


def holes(make, every=7):
    return [None if i % every == 3 else make(i) for i in range(ROWS)]


def whole(make):
    return [make(i) for i in range(ROWS)]


def signed(bits):
    edges = [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1, 0, -1]
    return lambda i: edges[i % 4] if i % 2 else i


def unsigned(bits, most=None):
    edges = [0, (2**bits - 1) if most is None else most, 1]
    return lambda i: edges[i % 3] if i % 2 else i


FLOATS = [0.1, -0.0, math.inf, -math.inf, math.nan, 5e-324, 1.7976931348623157e308, 1 / 3]
# Beyond 2^53, in all units; and before 1970.
TIMES = [0, -1, 9007199254740993, -62135596800, 1234567890123456789]
TEXTS = ["", "a", "ß", "日本", "🎉", "twelve bytes", "thirteen byte", "a longer text than fits into a view " * 3]

types = {
    "bool": (pa.bool_(), lambda i: i % 3 == 0),
    "int8": (pa.int8(), signed(8)),
    "int16": (pa.int16(), signed(16)),
    "int32": (pa.int32(), signed(32)),
    "int64": (pa.int64(), signed(64)),
    "uint8": (pa.uint8(), unsigned(8)),
    "uint16": (pa.uint16(), unsigned(16)),
    "uint32": (pa.uint32(), unsigned(32)),
    "uint64": (pa.uint64(), unsigned(64, 2**63 - 1)),
    "float32": (pa.float32(), lambda i: [0.5, -0.0, math.inf, math.nan, 2.0**-149][i % 5]),
    "float64": (pa.float64(), lambda i: FLOATS[i % 8]),
    "utf8": (pa.string(), lambda i: TEXTS[i % 8]),
    "large_utf8": (pa.large_string(), lambda i: TEXTS[(i + 1) % 8]),
    "date32": (pa.date32(), lambda i: [0, -719162, 2932896, i][i % 4]),
    "date64": (pa.date64(), lambda i: [0, -719162 * 86400000, 2932896 * 86400000, i * 86400000][i % 4]),
    "time_s": (pa.timestamp("s"), lambda i: [0, -1, -62135596800][i % 3]),
    "time_ms": (pa.timestamp("ms", tz="Europe/Berlin"), lambda i: [0, -1, 253402300799999][i % 3]),
    "time_us": (pa.timestamp("us", tz="UTC"), lambda i: TIMES[i % 4]),
    "time_ns": (pa.timestamp("ns"), lambda i: TIMES[i % 5]),
    "list": (pa.list_(pa.int32()), lambda i: [None if j == 2 else j * i for j in range(i % 4)]),
    "large_list": (pa.large_list(pa.string()), lambda i: [TEXTS[(i + j) % 8] for j in range(i % 3)]),
    "fixed_list": (pa.list_(pa.float64(), 3), lambda i: [i / 3, None if i % 5 == 0 else 1.0, -float(i)]),
    "list_of_bool": (pa.list_(pa.bool_()), lambda i: [j % 2 == 0 for j in range(i % 11)]),
    "list_of_lists": (pa.list_(pa.list_(pa.int8())), lambda i: [[j] * j for j in range(i % 4)]),
}
schema_of = lambda nullable: pa.schema([pa.field(name, kind, nullable=nullable) for name, (kind, _) in types.items()])


def batch_of(schema, fill):
    return pa.record_batch([pa.array(fill(types[field.name][1]), type=field.type) for field in schema], schema=schema)


some = batch_of(schema_of(True), holes)
full = batch_of(schema_of(False), whole)
none = batch_of(schema_of(True), lambda _: [None] * 5)
save("types", some.schema, [some, some.slice(0, 0), some.slice(3, 13), none, some.slice(8, 62)])
save("types", some.schema, [some.slice(1, 1), some], stream=True)
save("full", full.schema, [full, full.slice(5, 60)])
for codec in ["lz4", "zstd"]:
    save(f"types-{codec}", some.schema, [some, none, some.slice(3, 13)], compression=codec)
    save(f"full-{codec}", full.schema, [full], stream=True, compression=codec)
save("legacy", some.schema, [some, some.slice(9, 20)], stream=True, use_legacy_format=True)
save("version-4", some.schema, [some], metadata_version=ipc.MetadataVersion.V4)
save("no-batches", some.schema, [])
save("no-batches", some.schema, [], stream=True)
save("no-rows", some.schema, [some.slice(0, 0)])
nothing = pa.schema([])
save("no-columns", nothing, [pa.record_batch([], schema=nothing)])

# Views: inline, in one buffer, in several, and sliced.
views = pa.schema([("view", pa.string_view()), ("n", pa.int32())])
view = pa.record_batch([pa.array(holes(lambda i: TEXTS[i % 8]), pa.string_view()), pa.array(range(ROWS), pa.int32())], views)
save("views", views, [view, view.slice(11, 30)])
save("views-zstd", views, [view, view.slice(11, 30)], compression="zstd")

# Dictionaries.
words = ["beech", "oak", None, "日本", ""]
fields, arrays = [], []
for n, index in enumerate([pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]):
    codes = pa.array([None if i % 9 == 4 else (i + n) % 4 for i in range(ROWS)], index)
    words_n = pa.array(["beech", "oak", "日本", f"only {index}"], [pa.string(), pa.large_string(), pa.string_view()][n % 3])
    arrays.append(pa.DictionaryArray.from_arrays(codes, words_n))
codes = pa.array([i % 5 for i in range(ROWS)], pa.int8())
arrays.append(pa.DictionaryArray.from_arrays(codes, pa.array(words)))
arrays.append(pa.DictionaryArray.from_arrays(codes, pa.array([10, 2**62, None, -1, 0], pa.int64())))
arrays.append(pa.DictionaryArray.from_arrays(codes, pa.array([0.5, None, math.nan, math.inf, -0.0])))
arrays.append(pa.DictionaryArray.from_arrays(codes, pa.array([0, 1, 2, 3, None], pa.timestamp("us"))))
arrays.append(pa.ListArray.from_arrays(pa.array([0, 3, 3] + [min(70, 5 + i) for i in range(68)], pa.int32()), arrays[0]))
arrays.append(pa.DictionaryArray.from_arrays(pa.array([None] * ROWS, pa.int32()), pa.array([], pa.string())))
dictionaries = pa.record_batch(arrays, names=[f"d{i}" for i in range(len(arrays))])


save("dictionaries", dictionaries.schema, [dictionaries, dictionaries.slice(5, 21)])
save("dictionaries-lz4", dictionaries.schema, [dictionaries], stream=True, compression="lz4")

# A dictionary that grows, and one that is replaced: which a stream may, a file may not.
coded = pa.schema([("word", pa.dictionary(pa.int32(), pa.string())), ("other", pa.dictionary(pa.int16(), pa.string()))])


def coded_batch(one, two):
    return pa.record_batch(
        [
            pa.DictionaryArray.from_arrays(pa.array([i % len(one) for i in range(10)], pa.int32()), pa.array(one)),
            pa.DictionaryArray.from_arrays(pa.array([i % len(two) for i in range(10)], pa.int16()), pa.array(two)),
        ],
        schema=coded,
    )


growing = [coded_batch(["a", "b"], ["x"]), coded_batch(["a", "b", "c", "d"], ["x"]), coded_batch(["a", "b", "c", "d", "e"], ["x", "y"])]
save("deltas", coded, growing, emit_dictionary_deltas=True, unify_dictionaries=False)
save("deltas", coded, growing, stream=True, emit_dictionary_deltas=True)
changing = [growing[0], coded_batch(["q"], ["y", "x"]), coded_batch(["q", "r"], ["y", "x"]), coded_batch(["a", "b"], ["x"])]
save("replaced", coded, changing, stream=True)
save("replaced-deltas", coded, changing, stream=True, emit_dictionary_deltas=True)

# What has no type here, between columns that are read.
unread = {
    "decimal": pa.array([None, 1] * 5, pa.decimal128(10, 2)),
    "wide_decimal": pa.array([None, 1] * 5, pa.decimal256(40, 2)),
    "struct": pa.array([{"x": 1, "y": ["a"]}, None] * 5, pa.struct([("x", pa.int8()), ("y", pa.list_(pa.string()))])),
    "map": pa.array([[("a", 1)], None] * 5, pa.map_(pa.string(), pa.int32())),
    "sparse_union": pa.UnionArray.from_sparse(pa.array([0, 1] * 5, pa.int8()), [pa.array(range(10)), pa.array(["x"] * 10)]),
    "dense_union": pa.UnionArray.from_dense(
        pa.array([0, 1] * 5, pa.int8()), pa.array([0, 0, 1, 1, 2, 2, 3, 3, 4, 4], pa.int32()), [pa.array(range(5)), pa.array(["x"] * 5)]
    ),
    "binary": pa.array([b"\xff", None] * 5, pa.binary()),
    "fixed_binary": pa.array([b"ab", None] * 5, pa.binary(2)),
    "binary_view": pa.array([b"a binary of many bytes", None] * 5, pa.binary_view()),
    "time": pa.array([1, None] * 5, pa.time64("us")),
    "duration": pa.array([1, None] * 5, pa.duration("s")),
    "interval": pa.array([(1, 2, 3), None] * 5, pa.month_day_nano_interval()),
    "list_view": pa.array([[1], None] * 5, pa.list_view(pa.int32())),
    "run_ends": pa.RunEndEncodedArray.from_arrays(pa.array([5, 10], pa.int32()), pa.array(["a", "b"])),
    "list_of_structs": pa.array([[{"x": 1}], None] * 5, pa.list_(pa.struct([("x", pa.int8())]))),
    "coded_bool": pa.DictionaryArray.from_arrays(pa.array([0, None] * 5, pa.int8()), pa.array([True])),
}
named = {}
for i, (name, array) in enumerate(unread.items()):
    named[f"n{i}"] = pa.array([i * j for j in range(10)], pa.int32())
    named[name] = array
named["half"] = pa.array([0.5, -2.0, None, 65504.0, 2.0**-24, math.inf, -math.inf, math.nan, 0.0, -0.0], pa.float16())
named["nothing"] = pa.nulls(10)
named["text"] = pa.array([f"row {j}" for j in range(10)])
mixed = pa.record_batch(list(named.values()), names=list(named))
save("unread", mixed.schema, [mixed, mixed.slice(2, 5)], unread=tuple(unread))
save("unread-v4", mixed.schema, [mixed], unread=tuple(unread), metadata_version=ipc.MetadataVersion.V4)

# Values that have no place here.
beyond = pa.record_batch(
    [
        pa.array([1, 2, None, 2**63], pa.uint64()),
        pa.array([0, 86400000, None, 86400001], pa.int64()).view(pa.date64()),
        pa.array([0, 86400000, -86400000, 2**31 * 86400000], pa.int64()).view(pa.date64()),
        pa.array(range(4), pa.int32()),
    ],
    names=["uint64", "part_of_a_day", "far_day", "n"],
)
save("beyond", beyond.schema, [beyond], unread=("uint64", "part_of_a_day", "far_day"))
