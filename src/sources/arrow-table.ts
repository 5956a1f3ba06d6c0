/** Tables of other Arrow libraries, which are in the calling thread: their buffers become a table of ours, read as memory.ts reads those. */
import { fieldsOf, schemaOf } from '../columnar/schema.js'
import type { SchemaShape } from '../columnar/type.js'
import type { ArrowTable } from '../formats/arrow/from-table.js'
import { tableSource } from './memory.js'
import { checkColumns } from './parts-source.js'
import type { Source } from './source.js'

/** @param declared the columns to read, by name, as the table has them; null: all that it has. */
export function arrowTableSource(table: ArrowTable, declared: SchemaShape | null): Source {
  const label = 'fromArrow'
  let schema: SchemaShape | null = null
  const load = () => import('../formats/arrow/from-table.js')
  return {
    label,
    schema: declared,
    rowCount: table.numRows,
    async describe() {
      const { schemaOfArrowTable, hasNoNulls } = await load()
      const found = schemaOfArrowTable(table)
      schema = declared ?? found
      checkColumns(found, schema, name => hasNoNulls(table, name), 'the table', label)
      return schema
    },
    async open(request, services) {
      const { readArrowTable } = await load()
      const { columns } = request
      const wanted = fieldsOf(schema as SchemaShape).filter(({ name }) => columns.includes(name))
      return tableSource(readArrowTable(table, schemaOf(wanted))).open(request, services)
    },
  }
}
