/**
 * Files that say what parts they have, Parquet and Arrow: the parts are the splits, and the lanes that read them open the file themselves. What is
 * in the bytes is the format's business, which comes as a module loaded on first use; memory.ts is for rows that are here already.
 */
import { fieldsOf, schemaOf } from '../columnar/schema.js'
import { type DataType, type SchemaShape, sameType, typeName } from '../columnar/type.js'
import { MillraceError, quote, unknownColumn } from '../errors.js'
import type { InputDescriptor } from '../formats/byte-source.js'
import type { DescribedFile, Format } from '../formats/format.js'
import type { Input } from '../formats/input.js'
import { inputName } from '../formats/input-name.js'
import { reviveError } from '../formats/plain-batch.js'
import { labelOf } from './input-label.js'
import type { OpenRequest, OpenSource, Source, SourceServices, Split } from './source.js'

interface ReadFile {
  readonly input: InputDescriptor
  readonly file: DescribedFile
}

/**
 * @param inputs read one after another, all of the same columns.
 * @param declared the columns to read, by name, as the files must have them; null: as the first file has them.
 */
export function partsSource(format: Format, inputs: readonly Input[], declared: SchemaShape | null): Source {
  const label = labelOf(format.name, inputs)
  let inputsOf: Promise<ReturnType<typeof import('../formats/input.js').keptInputs>> | null = null
  /** Kept from `describe` to `open` of one job, so that files are described once. */
  let described: readonly ReadFile[] | null = null

  const readAll = async (services: SourceServices): Promise<readonly ReadFile[]> => {
    inputsOf ??= import('../formats/input.js').then(({ keptInputs }) => keptInputs(inputs, format.name))
    try {
      const [module, describeInputs] = await Promise.all([format.describe(), inputsOf])
      const files: ReadFile[] = []
      const { openFile, signal } = services
      for (const input of await describeInputs(services, signal)) {
        signal?.throwIfAborted()
        files.push(await module.describeFile(input, openFile, signal))
      }
      return files
    } catch (error) {
      throw reviveError(error)
    }
  }

  return {
    label,
    schema: declared,
    rowCount: null,
    async describe(services) {
      const files = await readAll(services)
      const schema = declared ?? commonSchema(files)
      const first = declared === null ? inputName(files[0].input) : null
      for (const { input, file } of files) {
        const called = inputName(input)
        checkColumns(file.schema, schema, file.hasNoNulls, called, `${format.name} ${called}`, first)
      }
      described = files
      return schema
    },
    async open(request, services): Promise<OpenSource> {
      const files = described ?? (await readAll(services))
      described = null
      return { splits: splitsOf(format, files, request), readers: [format] }
    },
  }
}

function splitsOf(format: Format, files: readonly ReadFile[], { columns, prune }: OpenRequest): Split[] {
  const splits: Split[] = []
  let firstRow = 0
  files.forEach(({ input, file }, i) => {
    for (const part of file.candidates(prune)) {
      const { firstRow: first, rowCount } = file.parts[part]
      if (rowCount === 0) continue
      splits.push({
        firstRow: firstRow + first,
        rowCount,
        byteLength: file.byteLength(part, columns),
        work: { kind: 'part', extension: format.name, input, inputKey: String(i), index: file.index, part, columns },
      })
    }
    firstRow += file.rowCount
  })
  return splits
}

/** The first file's columns; one that may be null in any file may be null. */
function commonSchema(files: readonly ReadFile[]): SchemaShape {
  const [first, ...others] = files
  return schemaOf(
    fieldsOf(first.file.schema).map(({ name, type }) => {
      const isNullable = others.some(({ file }) => file.schema[name]?.nullable)
      return { name, type: isNullable && !type.nullable ? { ...type, nullable: true } : type }
    }),
  )
}

/**
 * @param found of a file, or the like.
 * @param called how messages call it.
 * @param first the file that has these columns, where nobody has declared any.
 * @throws MillraceError where it lacks a column, has it in another type, or may have nulls where none are declared.
 */
export function checkColumns(
  found: SchemaShape,
  declared: SchemaShape,
  hasNoNulls: (name: string) => boolean,
  called: string,
  label: string,
  first: string | null = null,
): void {
  const apart = 'read the files apart and put them together by union'
  for (const { name, type } of fieldsOf(declared)) {
    if (!Object.hasOwn(found, name)) {
      if (first === null) throw unknownColumn(name, Object.keys(found), label)
      throw new MillraceError(
        'MR_UNKNOWN_COLUMN',
        `${label}: there is no column ${quote(name)}, which ${first} has; declare those that all files have by schema, or ${apart}, with { missing: 'null' }`,
        { operator: label, file: called, column: name },
      )
    }
    const own = found[name] as DataType
    if (!sameType(own, type)) {
      throw new MillraceError(
        'MR_TYPE_MISMATCH',
        `${label}: column ${quote(name)} of ${called} is ${typeName(own)}, not ${typeName(type)}${first === null ? '; declare it so' : ` as in ${first}; ${apart}, cast to one type`}`,
        { file: called, column: name },
      )
    }
    if (own.nullable && !type.nullable && !hasNoNulls(name)) {
      throw new MillraceError(
        'MR_TYPE_MISMATCH',
        `${label}: column ${quote(name)} of ${called} may have nulls; declare it as nullable(${typeName(type)})`,
        { file: called, column: name },
      )
    }
  }
}
