/** Parquet, as sources and lanes load it. */
import type { Format } from '../format.js'

export const parquetFormat: Format = {
  name: 'parquet',
  describe: () => import('./file.js'),
  load: () => import('./lane-extension.js'),
  text: () => import('virtual:millrace/lane/parquet'),
}
