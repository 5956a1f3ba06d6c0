/** Tables of flechette and apache-arrow as plain values: integers, days and counts of time as bigint, as read-arrow.ts has ours. */
import * as flechette from '@uwdata/flechette'
import * as apache from 'apache-arrow'
import type { ModelField, ModelType } from '../../oracle/value.js'

export const PEERS = ['apache-arrow', 'flechette'] as const
export type Peer = (typeof PEERS)[number]

/** Whether the peer's own getters tell such values exactly: of times in lists they do not. */
export const tellsExactly = ({ kind, item }: ModelType): boolean =>
  kind !== 'list' || (tellsExactly(item as ModelType) && !isTime(item as ModelType))

const isTime = ({ kind }: ModelType) => kind === 'timestamp' || kind === 'date'

export function peerTable(peer: Peer, bytes: Uint8Array): any {
  return peer === 'flechette' ? flechette.tableFromIPC(bytes, { useBigInt: true }) : apache.tableFromIPC(bytes)
}

export function peerValues(table: any, { name, type }: ModelField): unknown[] {
  const column = table.getChild(name)
  // A column of no batches has no values in one of the two.
  if (table.numRows === 0) return []
  if (isTime(type)) return rawValues(column)
  return Array.from({ length: table.numRows }, (_, i) => plain(column.get(i), type))
}

/** Times as they are stored: both make milliseconds of them, as numbers. */
function rawValues(column: any): unknown[] {
  return column.data.flatMap((data: any) => {
    const at = Array.from({ length: data.length }, (_, i) => i)
    const isValid = (i: number) => (data.getValid === undefined ? data.isValid(i) : data.getValid(i))
    return at.map(i => (data.nullCount > 0 && !isValid(i) ? null : BigInt(data.values[i])))
  })
}

function plain(value: any, type: ModelType): unknown {
  if (value === null) return null
  if (type.kind === 'list') return Array.from(value, item => plain(item, type.item as ModelType))
  return /^u?int/.test(type.kind) ? BigInt(value) : value
}
