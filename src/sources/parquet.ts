/**
 * Parquet files: row groups are the splits, and the lanes that read them open the file themselves. What is in the bytes is
 * formats/parquet's business, which comes as a module loaded on first use; memory.ts is for rows that are here already.
 */
import { fieldsOf, schemaOf } from '../columnar/schema.js'
import { type DataType, type SchemaShape, sameType, typeName } from '../columnar/type.js'
import { MillraceError, quote, unknownColumn } from '../errors.js'
import type { InputDescriptor } from '../formats/byte-source.js'
import { describeInput, type Input, inputName } from '../formats/input.js'
import type { ParquetFile } from '../formats/parquet/file.js'
import { reviveError } from '../formats/plain-batch.js'
import type { OpenRequest, OpenSource, Source, SourceServices, Split } from './source.js'

interface OpenFile {
  readonly input: InputDescriptor
  readonly reader: ParquetFile
}

/**
 * @param inputs read one after another, all of the same columns.
 * @param declared the columns to read, by name, as the files must have them; null: as the first file has them.
 */
export function parquetSource(inputs: readonly Input[], declared: SchemaShape | null): Source {
  const label = `parquet ${inputs.map(nameOf).join(', ').slice(0, 200)}`
  let descriptors: Promise<readonly InputDescriptor[]> | null = null
  /** Kept from `describe` to `open` of one job, so that footers are read once; closed by then, since an `open` may never come. */
  let described: readonly OpenFile[] | null = null

  const openAll = async (services: SourceServices): Promise<readonly OpenFile[]> => {
    // A `Response` or a stream can be read only once: what was read of it is kept for the next terminal.
    descriptors ??= Promise.all(inputs.map(input => describeInput(input, services.baseUrl)))
    const files: OpenFile[] = []
    try {
      const [module, all] = await Promise.all([services.parquet(), descriptors])
      for (const input of all)
        files.push({ input, reader: (await module.openParquetFile(input, services.openFile)).file })
      return files
    } catch (error) {
      await closeAll(files)
      throw reviveError(error)
    }
  }

  return {
    label,
    schema: declared,
    rowCount: null,
    async describe(services) {
      const files = await openAll(services)
      try {
        const schema = declared ?? commonSchema(files)
        for (const file of files) checkFile(file, schema, label)
        described = files
        return schema
      } finally {
        await closeAll(files)
      }
    },
    async open(request, services): Promise<OpenSource> {
      const files = described ?? (await openAll(services))
      described = null
      try {
        return { splits: splitsOf(files, request) }
      } finally {
        await closeAll(files)
      }
    },
  }
}

function splitsOf(files: readonly OpenFile[], { columns, prune }: OpenRequest): Split[] {
  const splits: Split[] = []
  let firstRow = 0
  files.forEach(({ input, reader }, file) => {
    for (const part of reader.candidates(prune)) {
      const group = reader.rowGroups[part]
      if (group.rowCount === 0) continue
      splits.push({
        firstRow: firstRow + group.firstRow,
        rowCount: group.rowCount,
        byteLength: reader.byteLength(part, columns),
        work: { kind: 'part', extension: 'parquet', input, inputKey: String(file), part, columns },
      })
    }
    firstRow += reader.rowCount
  })
  return splits
}

/** The first file's columns; one that may be null in any file may be null. */
function commonSchema(files: readonly OpenFile[]): SchemaShape {
  const [first, ...others] = files
  return schemaOf(
    fieldsOf(first.reader.schema).map(({ name, type }) => {
      const isNullable = others.some(({ reader }) => reader.schema[name]?.nullable)
      return { name, type: isNullable && !type.nullable ? { ...type, nullable: true } : type }
    }),
  )
}

/** @throws MillraceError where a file lacks a column, has it in another type, or may have nulls where none are declared. */
function checkFile({ input, reader }: OpenFile, schema: SchemaShape, label: string): void {
  const file = inputName(input)
  for (const { name, type } of fieldsOf(schema)) {
    if (!Object.hasOwn(reader.schema, name)) throw unknownColumn(name, Object.keys(reader.schema), label)
    const found = reader.schema[name] as DataType
    if (!sameType(found, type)) {
      throw new MillraceError(
        'MR_TYPE_MISMATCH',
        `${label}: column ${quote(name)} of ${file} is ${typeName(found)}, not ${typeName(type)}; declare it so`,
        {
          file,
          column: name,
        },
      )
    }
    if (
      found.nullable &&
      !type.nullable &&
      !reader.rowGroups.every(group => group.statistics.get(name)?.nullCount === 0)
    ) {
      throw new MillraceError(
        'MR_TYPE_MISMATCH',
        `${label}: column ${quote(name)} of ${file} may have nulls; declare it as nullable(${typeName(type)})`,
        { file, column: name },
      )
    }
  }
}

async function closeAll(files: readonly OpenFile[]): Promise<void> {
  await Promise.all(files.map(({ reader }) => reader.close()))
}

function nameOf(input: Input): string {
  if (typeof input === 'string') return input
  if (input instanceof URL) return input.href
  return 'name' in input && typeof input.name === 'string' ? input.name : input.constructor.name
}
