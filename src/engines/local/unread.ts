/** What a terminal was to read, and perhaps never opened: its feeds let go of whoever pushes. */
import type { PlanBefore } from '../../sources/source.js'

/** @param ended settles when the terminal has ended. Where it was given wrong options it has not begun. */
export function unreadAfter<T>(ended: Promise<T>, flow: PlanBefore): Promise<T> {
  const leave = (told: any) => told?.code === 'MR_INVALID_OPTION' || letGo(flow)
  ended.then(leave, leave)
  return ended
}

function letGo({ sources }: PlanBefore): void {
  for (const { unread, before } of sources.values()) {
    unread?.()
    if (before) letGo(before)
  }
}
