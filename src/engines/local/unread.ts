/** What a terminal was to read, and perhaps never opened: its feeds let go of whoever pushes. */
import type { PlanBefore, Source } from '../../sources/source.js'

/** @param ended settles when the terminal has ended. Where it was given wrong options it has not begun. */
export function unreadAfter<T>(ended: Promise<T>, flow: PlanBefore): Promise<T> {
  const leave = (told: any) => told?.code === 'MR_INVALID_OPTION' || letGo(flow.sources.values())
  ended.then(leave, leave)
  return ended
}

export function letGo(sources: Iterable<Source>): void {
  for (const { unread, before } of sources) {
    if (unread) unread()
    else if (before) letGo(before.sources.values())
  }
}
