/** Arrow IPC files and streams, as sources and lanes load them. */
import type { Format } from '../format.js'

export const arrowFormat: Format = {
  name: 'arrow',
  describe: () => import('./file.js'),
  load: () => import('./lane-extension.js'),
  text: () => import('virtual:millrace/lane/arrow'),
}
