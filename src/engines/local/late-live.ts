/** A live table whose program is loaded first, as late-job.ts does it for jobs. */
import type { Table } from '../../columnar/table.js'
import type { SchemaShape } from '../../columnar/type.js'
import { MillraceError } from '../../errors.js'
import type { Live } from './live-table.js'

export function lateLive<S extends SchemaShape>(load: () => Promise<Live<S>>): Live<S> {
  let live: Live<S> | null = null
  const loading = load().then(loaded => {
    live = loaded
    return loaded
  })
  const ready = loading.then(loaded => loaded.ready)
  const finished = loading.then(loaded => loaded.finished)
  ready.catch(() => {})
  finished.catch(() => {})
  const close = async () => {
    const loaded = await loading.catch(() => null)
    await loaded?.close()
  }
  return {
    ready,
    finished,
    get table(): Table<S> {
      if (live !== null) return live.table
      throw new MillraceError('MR_CLOSED', 'live: there is no table yet; await ready first')
    },
    subscribe(take) {
      let stop: () => void = () => {}
      let isStopped = false
      loading.then(
        loaded => {
          if (!isStopped) stop = loaded.subscribe(take)
        },
        () => {},
      )
      return () => {
        isStopped = true
        stop()
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
