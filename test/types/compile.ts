/** Runs TypeScript's compiler over programs given as text, as a user's program would be: nothing but `import ... from 'millrace'`. */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const root = join(import.meta.dirname, '../..')
const run = promisify(execFile)

export interface Compilation {
  /** Messages by file and line (from 1), each with the lines that explain it. */
  readonly messages: ReadonlyMap<string, ReadonlyMap<number, string>>
  readonly instantiations: number
}

/** @param programs names without extension to TypeScript; they may import 'millrace'. */
export async function compile(programs: Readonly<Record<string, string>>): Promise<Compilation> {
  await mkdir(join(root, 'build'), { recursive: true })
  const folder = await mkdtemp(join(root, 'build/types-'))
  try {
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
    for (const [name, text] of Object.entries(programs)) await writeFile(join(folder, `${name}.ts`), text)
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const args = [tsc, '-p', folder, '--pretty', 'false', '--singleThreaded', '--extendedDiagnostics']
    const { stdout } = await run(process.execPath, args, { cwd: folder, maxBuffer: 2 ** 26 }).catch(
      (error: { stdout: string }) => error,
    )
    const instantiations = Number(/^Instantiations:\s+(\d+)/m.exec(stdout)?.[1])
    if (Number.isNaN(instantiations)) throw new Error(`the compiler did not run: ${stdout}`)
    return { messages: messagesOf(stdout), instantiations }
  } finally {
    await rm(folder, { recursive: true })
  }
}

const config = {
  extends: '../../tsconfig.json',
  compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
  include: ['*.ts', '../../src/**/*.d.ts'],
  exclude: [],
}

function messagesOf(output: string): Map<string, Map<number, string>> {
  const messages = new Map<string, Map<number, string>>()
  let add: (line: string) => void = () => {}
  for (const line of output.split('\n')) {
    const match = /^(?:.*\/)?([\w-]+)\.ts\((\d+),\d+\): error (.*)$/.exec(line)
    if (match === null) {
      if (line.startsWith(' ')) add(line)
      else add = () => {}
      continue
    }
    const [, file, at, text] = match as unknown as [string, string, string, string]
    const inFile = messages.get(file) ?? new Map<number, string>()
    messages.set(file, inFile)
    add = more => inFile.set(Number(at), [inFile.get(Number(at)), more].filter(Boolean).join('\n'))
    add(text)
  }
  return messages
}
