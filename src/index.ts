/// <reference lib="esnext.disposable" preserve="true" />
/** The public interface: everything a program may import from 'millrace', by name. Nothing is defined here. */
export type { AggregateExpr, AggregateOperand, NumberAggregate } from './api/aggregate-expr.js'
export {
  any,
  argMax,
  argMin,
  bottomK,
  collectList,
  count,
  countDistinct,
  every,
  first,
  join,
  last,
  max,
  mean,
  min,
  mode,
  some,
  sum,
  topK,
} from './api/aggregates.js'
export { type Channel, channel, type FullOptions, type PushInput } from './api/channel.js'
export type { DedupeOptions, FillByMethod } from './api/cleaning.js'
export { collectAll } from './api/collect-all.js'
export {
  type Choice,
  type ChoiceBeside,
  type ChoicesOf,
  coalesce,
  type FamilyOfChoice,
  type Then,
  type When,
  when,
} from './api/conditions.js'
export { type EventSourceOptions, eventSource } from './api/event-source.js'
export { Flow, type GroupedFlow, Loaded, type RolledFlow, type SinkInput, type Validated } from './api/flow.js'
export { type EventOptions, type EventSourceLike, fromEvent } from './api/from-event.js'
export {
  type FlowHandlerOptions,
  flowHandler,
  type NodeRequest,
  type NodeResponse,
  nodeHandler,
  type RequestHandler,
} from './api/handlers.js'
export type {
  AnyExpr,
  BoolExpr,
  BoolOperand,
  Expr,
  Family,
  NumberExpr,
  NumberOperand,
  ScalarFamily,
  StringExpr,
  StringOperand,
  TimeExpr,
  TimeOperand,
  ZoneOptions,
} from './api/handles.js'
export type { Files, Inputs } from './api/inputs.js'
export type { IntervalOptions } from './api/interval-join.js'
export type { AsofJoined, AsofOn, Joined, JoinKeys, KeyPairs, TakenColumns } from './api/join-types.js'
export type { AsofOptions, JoinOptions, TestOptions } from './api/joins.js'
export type {
  ConnectionOptions,
  MessageDecoder,
  MessageOptions,
  ReconnectOptions,
} from './api/live-options.js'
export { type OtelAttributes, type OtelMetric, type OtelPoint, otelMetrics } from './api/open-telemetry.js'
export { asc, desc, type Order, type OrderOptions } from './api/orders.js'
export {
  denseRank,
  type EwmaOptions,
  ewma,
  type HasSelf,
  lag,
  lead,
  ntile,
  type OverOptions,
  percentRank,
  rank,
  rowNumber,
} from './api/over.js'
export type { Pivoted, PivotOptions } from './api/pivot-types.js'
export {
  type BoundedOptions,
  type PrivacyBudget,
  type PrivacyBudgetOptions,
  type PrivacyCost,
  type PrivateOptions,
  type PrivateRelease,
  privacyBudget,
  publicGroups,
} from './api/privacy.js'
export { type GroupRule, minGroupSize } from './api/private-groups.js'
export { receive } from './api/receive.js'
export { type ReplayOptions, replay } from './api/replay.js'
export { runAll } from './api/run-all.js'
export type { Exploded, ItemType, ListNames, Unpivoted } from './api/shape-types.js'
export type { SampleOptions, UnpivotOptions } from './api/shapes.js'
export { arrowSink, csvSink, jsonSink, ndjsonSink, opfsFile } from './api/sinks.js'
export {
  type ArrowOptions,
  arrow,
  columns,
  dictionary,
  fromArrow,
  type ParquetOptions,
  parquet,
  rows,
  type StreamItem,
  stream,
} from './api/sources.js'
export {
  approxCountDistinct,
  approxQuantile,
  approxTopK,
  type Bins,
  correlation,
  covariance,
  histogram,
  median,
  quantile,
  type SpreadOptions,
  slope,
  stddev,
  variance,
} from './api/statistics.js'
export { type TailOptions, tail } from './api/tail.js'
export {
  type CsvOptions,
  csv,
  type JsonOptions,
  json,
  ndjson,
  type TextFileOptions,
} from './api/text-sources.js'
export { type ClockOptions, cron, interval, type TickSchema, timer } from './api/timers.js'
export type {
  CastTo,
  Chosen,
  Clamped,
  Coalesced,
  CoalescedOf,
  Columns,
  Declared,
  DictionaryOf,
  Filled,
  HandleOf,
  IsAny,
  KeyedType,
  ListOf,
  Literal,
  MayBeNull,
  MeanType,
  NullableIf,
  NullIfEither,
  Or,
  OrNull,
  Power,
  Quotient,
  Remainder,
  SchemaOfRows,
  Sum,
  SumType,
  Text,
  Truth,
  TypeOf,
  TypeOfCells,
  TypeOfInput,
  TypeOfValue,
  UnkeyedType,
} from './api/types.js'
export type { CommonType, United } from './api/union-types.js'
export type { UnionOptions } from './api/unions.js'
export { type AggregateDefinition, defineAggregate, type UserAggregate } from './api/user-aggregate.js'
export type { RowInput, StandardValidator, UserModule, UserOptions } from './api/user-code.js'
export { defineKernel, type KernelDefinition, type UserKernel } from './api/user-kernel.js'
export { literal, type Param, type ParamValue, param, timestamp } from './api/values.js'
export { type SocketMessage, type WebSocketOptions, webSocket } from './api/web-socket.js'
export type { InWindow, WindowJoins } from './api/window-joins.js'
export {
  cumulative,
  rowCount,
  session,
  sliding,
  type TumblingOptions,
  tumbling,
  type WatermarkOptions,
  type Window,
  type WindowedFlow,
  type WindowOptions,
} from './api/windows.js'
export type { ArrayOf, Column } from './columnar/column.js'
export type { Codes, DictionaryInput, DictionaryOptions } from './columnar/dictionary-input.js'
export type { CellInput, ColumnInput, ColumnsInput } from './columnar/infer.js'
export { type ColumnsOf, RecordBatch } from './columnar/record-batch.js'
export type { BigIntRowOf, RowOptions } from './columnar/row.js'
export { schema } from './columnar/schema.js'
export { Table } from './columnar/table.js'
export {
  type Bool,
  bool,
  type DataType,
  type Date_,
  date,
  type Float32,
  type Float64,
  type FloatKind,
  float32,
  float64,
  type Int8,
  type Int16,
  type Int32,
  type Int64,
  type IntegerKind,
  int8,
  int16,
  int32,
  int64,
  type Kind,
  type List,
  list,
  type Nullable,
  type NumberKind,
  nullable,
  type RowOf,
  type ScalarKind,
  type SchemaShape,
  type Struct,
  struct,
  type TimeKind,
  type Timestamp,
  type TimeUnit,
  typeName,
  type Uint8,
  type Uint16,
  type Uint32,
  type Utf8,
  uint8,
  uint16,
  uint32,
  utf8,
  type ValueOf,
} from './columnar/type.js'
export type { Vector } from './columnar/vector.js'
export { createEngine, type Engine } from './engines/local/engine.js'
export type { Progress } from './engines/local/job-request.js'
export type { Live } from './engines/local/live-table.js'
export type { EngineOptions, RunOptions } from './engines/local/options.js'
export type { Job, JobMetrics } from './engines/local/run-job.js'
export { type ErrorCode, type ErrorDetails, MillraceError } from './errors.js'
export type { AggregateExpression, Expression } from './expressions/node.js'
export type { ArrowTable } from './formats/arrow/from-table.js'
export type { ArrowWriteOptions } from './formats/arrow/write.js'
export type { CsvWriteOptions } from './formats/csv/write.js'
export type { Input } from './formats/input.js'
export type { JsonWriteOptions } from './formats/json/write.js'
export type { Clock } from './metrics/clock.js'
export type { LaneUse, LatencyMetrics, NodeMetrics } from './metrics/node-metrics.js'
export type { PlanNode } from './plan/logical.js'
export type { MessagePortOrChannel, PortAnswer, PortColumn, PortMessage } from './sinks/port-message.js'
export type { OpfsFile, Sink, SinkServices, SinkWriter } from './sinks/sink.js'
export type { FileHandle, FileTarget } from './sinks/target.js'
export type { MessageFormat } from './sources/live/decode.js'
export type { StreamEvent } from './sources/live/event-stream.js'
export type { BadMessage, FeedStatus } from './sources/live/intake.js'
export type { WhenFull } from './sources/live/queue.js'
export type { SocketLike } from './sources/live/web-socket.js'
export type { IllFormedText, RejectedRow } from './sources/source.js'
export type { InferenceReport } from './sources/text.js'
export { type Configuration, configure } from './workers/configure.js'
