// Cuts emitted declarations down to what index.d.ts exports and what that needs; build.mjs emits them and calls this.
// Otherwise the types of bindings and workers would be published, and name packages that consumers do not have.

import { readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseSync, Visitor } from 'vite'
import { listFiles } from './build-kernels.mjs'

/**
 * Rewrites the .d.ts files of a folder in place, and deletes those that nothing public needs.
 *
 * @param {string} folder absolute; its entry is index.d.ts
 */
export async function shakeTypes(folder) {
  const modules = new Map()
  for (const path of (await listFiles(folder)).filter(path => path.endsWith('.d.ts'))) {
    modules.set(path, readModule(path, await readFile(path, 'utf8')))
  }
  keepName(modules, join(folder, 'index.d.ts'), '*')
  for (const [path, module] of modules) {
    if (module.reached) await writeFile(path, print(module))
    else await rm(path)
  }
}

/** A module's top-level statements: what each declares, imports or exports, and the names it uses. */
function readModule(path, text) {
  const { program, errors } = parseSync(path, text)
  if (errors.length) throw new Error(`${path}: ${errors[0].message}`)
  const statements = program.body.map((node, index) => {
    const source = node.source ? node.source.value : null
    const target = source?.startsWith('.') ? join(dirname(path), source.replace(/\.js$/, '.d.ts')) : null
    const specifiers = (node.specifiers ?? []).map(specifier => ({
      text: text.slice(specifier.start, specifier.end),
      local: specifier.local.name,
      // A namespace import needs all that its module exports.
      remote: node.type === 'ImportDeclaration' ? (specifier.imported?.name ?? '*') : specifier.local.name,
      exported: specifier.exported?.name,
      kept: false,
    }))
    return {
      ...{ node, source, target, specifiers, kept: false },
      kind: kindOf(node),
      declared: declaredNames(node.declaration ?? node),
      leading: program.body[index - 1]?.end ?? 0,
    }
  })
  return { path, text, statements, reached: false }
}

function kindOf(node) {
  if (node.type === 'ImportDeclaration') return 'import'
  if (node.type === 'ExportNamedDeclaration') return node.declaration ? 'export' : 'list'
  // `declare module './x.js'` adds to what is declared elsewhere: nobody names it, so it stays with its file.
  if (node.type === 'TSModuleDeclaration' && node.id.type === 'Literal') return 'augmentation'
  if (node.type === 'ExportAllDeclaration' || node.type === 'ExportDefaultDeclaration') {
    throw new Error(`${node.type}: export by name, so that what is public can be told`)
  }
  return 'local'
}

function declaredNames(node) {
  if (node.type === 'VariableDeclaration') return node.declarations.map(({ id }) => id.name)
  return node.id?.name ? [node.id.name] : []
}

/** Keeps what a module exports under a name (`*`: under any), and all that it needs. */
function keepName(modules, path, name) {
  const module = modules.get(path)
  if (!module) throw new Error(`${path} is imported and was not emitted`)
  enter(modules, module)
  for (const statement of module.statements) {
    if (statement.kind === 'export' && (name === '*' || statement.declared.includes(name))) {
      keepStatement(modules, module, statement)
    }
    if (statement.kind !== 'list') continue
    for (const specifier of statement.specifiers) {
      if (specifier.kept || (name !== '*' && specifier.exported !== name)) continue
      specifier.kept = true
      if (statement.target) keepName(modules, statement.target, specifier.remote)
      else if (!statement.source) keepLocal(modules, module, specifier.local)
    }
  }
}

function enter(modules, module) {
  if (module.reached) return
  module.reached = true
  for (const statement of module.statements) {
    if (statement.kind === 'augmentation') keepStatement(modules, module, statement)
  }
}

function keepLocal(modules, module, name) {
  for (const statement of module.statements) {
    if (statement.declared.includes(name)) keepStatement(modules, module, statement)
    if (statement.kind !== 'import') continue
    for (const specifier of statement.specifiers) {
      if (specifier.kept || specifier.local !== name) continue
      specifier.kept = true
      if (statement.target) keepName(modules, statement.target, specifier.remote)
    }
  }
}

function keepStatement(modules, module, statement) {
  if (statement.kept) return
  statement.kept = true
  const { names, imports } = usedNames(statement.node)
  for (const name of names) keepLocal(modules, module, name)
  for (const { source, name } of imports) {
    if (source.startsWith('.')) keepName(modules, join(dirname(module.path), source.replace(/\.js$/, '.d.ts')), name)
  }
}

/** Names that may be types or values; names of properties and members are left out. */
function usedNames(statement) {
  const names = new Set()
  const members = new Set()
  const imports = []
  const skip = node => void (node?.type === 'Identifier' && members.add(node))
  const skipKey = ({ key, computed }) => (computed ? undefined : skip(key))
  new Visitor({
    TSPropertySignature: skipKey,
    TSMethodSignature: skipKey,
    PropertyDefinition: skipKey,
    MethodDefinition: skipKey,
    TSAbstractMethodDefinition: skipKey,
    TSAbstractPropertyDefinition: skipKey,
    TSQualifiedName: ({ right }) => skip(right),
    MemberExpression: ({ property, computed }) => (computed ? undefined : skip(property)),
    TSImportType({ source, qualifier }) {
      let first = qualifier
      while (first?.type === 'TSQualifiedName') first = first.left
      imports.push({ source: source.value, name: first?.name ?? '*' })
    },
    Identifier: node => void (members.has(node) || names.add(node.name)),
  }).visit({ type: 'Program', body: [statement], sourceType: 'module', hashbang: null, start: 0, end: 0 })
  return { names, imports }
}

function print({ text, statements }) {
  const pieces = statements.map(statement => {
    const { node, kind, leading, specifiers, source, kept } = statement
    const comments = text.slice(leading, node.start)
    if (kind !== 'import' && kind !== 'list') return kept ? text.slice(leading, node.end) : ''
    const keptTexts = specifiers.filter(specifier => specifier.kept).map(specifier => specifier.text)
    if (!keptTexts.length) return ''
    if (keptTexts.length === specifiers.length) return text.slice(leading, node.end)
    const isType = (node.importKind ?? node.exportKind) === 'type'
    const from = source ? ` from '${source}'` : ''
    return `${comments}${kind === 'import' ? 'import' : 'export'}${isType ? ' type' : ''} { ${keptTexts.join(', ')} }${from};`
  })
  return `${pieces.join('').trim()}\nexport {};\n`
}
