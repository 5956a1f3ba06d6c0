/** text/event-stream, as the HTML standard has it: text in any pieces to events. What asks for it is event-source.ts. */

export interface StreamEvent {
  /** `message` where the stream names none. */
  readonly event: string
  /** Lines joined by line feeds. */
  readonly data: string
  /** That of the last event that had one. */
  readonly id: string
}

export interface EventParser {
  /** Events that the text completes. What the stream ends within is none. */
  feed(text: string): StreamEvent[]
  /** What to ask for again from: the id of the last event that is complete. */
  readonly lastId: string
  /** Milliseconds that the server wants clients to wait before they come again, or null. */
  readonly retryMs: number | null
}

/** An event of more characters is refused: a stream that never ends its event would fill the memory. */
export const MOST_EVENT_LENGTH = 2 ** 26

/** @throws RangeError (`feed`) for an event beyond `mostLength` */
export function createEventParser(
  firstId = '',
  retry: number | null = null,
  mostLength = MOST_EVENT_LENGTH,
): EventParser {
  let rest = ''
  let isFirst = true
  /** A line feed that follows belongs to the carriage return before. */
  let afterReturn = false
  let event = ''
  let data: string[] = []
  /** Of the data, with a line feed each. */
  let length = 0
  let id = firstId
  let lastId = firstId
  let retryMs = retry

  const line = (text: string, events: StreamEvent[]): void => {
    if (text === '') {
      lastId = id
      if (data.length > 0) events.push({ event: event === '' ? 'message' : event, data: data.join('\n'), id })
      event = ''
      data = []
      length = 0
      return
    }
    const colon = text.indexOf(':')
    if (colon === 0) return
    const name = colon < 0 ? text : text.slice(0, colon)
    const value = colon < 0 ? '' : text.slice(text[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (name === 'data') {
      data.push(value)
      length += value.length + 1
    } else if (name === 'event') event = value
    else if (name === 'id' && !value.includes('\0')) id = value
    else if (name === 'retry' && /^\d+$/.test(value)) retryMs = Math.min(Number(value), 2 ** 31)
  }

  return {
    get lastId() {
      return lastId
    },
    get retryMs() {
      return retryMs
    },
    feed(piece) {
      const events: StreamEvent[] = []
      let text = piece
      if (text === '') return events
      if (isFirst && text[0] === '\ufeff') text = text.slice(1)
      isFirst = false
      if (afterReturn && text[0] === '\n') text = text.slice(1)
      afterReturn = false
      let from = 0
      const breaks = /\r\n|\r|\n/g
      for (let match = breaks.exec(text); match !== null; match = breaks.exec(text)) {
        line(rest + text.slice(from, match.index), events)
        rest = ''
        from = breaks.lastIndex
        if (match[0] === '\r' && from === text.length) afterReturn = true
      }
      rest += text.slice(from)
      if (length + rest.length > mostLength) throw new RangeError(`an event has more than ${mostLength} characters`)
      return events
    },
  }
}
