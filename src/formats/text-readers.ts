/** What lanes read text with, as sources load it. */
import type { LaneReader } from './format.js'

export const filesReader: LaneReader = {
  name: 'files',
  load: () => import('./text-files.js'),
  text: () => import('virtual:millrace/lane/files'),
}

export const csvReader: LaneReader = {
  name: 'csv',
  load: () => import('../kernels/csv.js'),
  text: () => import('virtual:millrace/lane/csv'),
  kernels: () => import('virtual:millrace/kernels/csv'),
}

export const jsonReader: LaneReader = {
  name: 'json',
  load: () => import('../kernels/json.js'),
  text: () => import('virtual:millrace/lane/json'),
  kernels: () => import('virtual:millrace/kernels/json'),
}
