// Patterns of paths in Node: what they match, in which order, and what is said where they match nothing.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { findFiles } from '../../src/workers/find-files.node.js'
import { refusal } from '../flow/env.js'

let folder = ''
const find = async (pattern: string) => (await findFiles?.(join(folder, pattern)))?.map(path => relative(folder, path))

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-'))
  for (const path of [
    'b.csv',
    'a.csv',
    'B.csv',
    'a10.csv',
    'a2.csv',
    '.hidden.csv',
    'c.json',
    'sub/d.csv',
    'sub/deep/e.csv',
    'odd[1].csv',
    'é.csv',
    '!tables (x86)|(1)/f (1).csv',
  ]) {
    await mkdir(join(folder, path, '..'), { recursive: true })
    await writeFile(join(folder, path), path)
  }
  await mkdir(join(folder, 'folder.csv'))
})
afterAll(() => rm(folder, { recursive: true }))

it('matches files, in the order of their paths', async () => {
  expect(await find('*.csv')).toEqual(['B.csv', 'a.csv', 'a10.csv', 'a2.csv', 'b.csv', 'odd[1].csv', 'é.csv'])
  expect(await find('a?.csv')).toEqual(['a2.csv'])
  expect(await find('[ab].csv')).toEqual(['a.csv', 'b.csv'])
  expect(await find('{a,c}.{csv,json}')).toEqual(['a.csv', 'c.json'])
  expect(await find('**/[de].csv')).toEqual(['sub/d.csv', 'sub/deep/e.csv'])
  expect(await find('s*/*.csv')).toEqual(['sub/d.csv'])
  expect(await find('.h*.csv')).toEqual(['.hidden.csv'])
})

it('takes parentheses, bars and exclamation marks as they are', async () => {
  const file = '!tables (x86)|(1)/f (1).csv'
  for (const pattern of ['!tables (x86)|(1)/*.csv', '!*/f (?).csv', '!tables \\(x86\\)*/{f,g} (1).csv'])
    expect(await find(pattern)).toEqual([file])
})

it('leaves alone what is a file, or no pattern', async () => {
  expect(await findFiles?.('no such file')).toEqual(['no such file'])
  expect(await find('odd[1].csv')).toEqual(['odd[1].csv'])
})

it('says where it has looked, and for what', async () => {
  const none = await refusal(() => find('sub/*.parquet'), 'MR_SOURCE_FAILED')
  expect(none.message).toContain(`no file in ${JSON.stringify(join(folder, 'sub'))} matches "*.parquet"`)
  const lost = await refusal(() => find('nowhere/*.csv'), 'MR_SOURCE_FAILED')
  expect(lost.message).toContain(`there is no folder ${JSON.stringify(join(folder, 'nowhere'))}`)
  expect(lost.details.file).toBe(join(folder, 'nowhere/*.csv'))
})
