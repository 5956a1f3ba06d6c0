/** Names of time zones, checked: `'Europe/Berlin'` of the tz database that the JavaScript engine has, or a fixed offset such as `'+05:30'`. */
import { MillraceError, quote } from '../errors.js'

export const UTC = 'UTC'

const UTC_NAMES = new Set(['UTC', 'Etc/UTC', 'Z', 'GMT', '+00:00', '-00:00'])
const OFFSET = /^([+-])(\d\d):([0-5]\d)$/
const known = new Set<string>()

/** The same name, `UTC` for all that is UTC. @throws MillraceError `MR_INVALID_OPTION` */
export function zoneOf(name: unknown, operator: string): string {
  if (typeof name !== 'string') throw noZone(String(name), operator)
  if (UTC_NAMES.has(name)) return UTC
  if (known.has(name)) return name
  if (fixedOffset(name) === null) {
    try {
      new Intl.DateTimeFormat('en-US', { timeZone: name })
    } catch {
      throw noZone(quote(name), operator)
    }
  }
  known.add(name)
  return name
}

/** Seconds ahead of UTC of an offset, null of a name. */
export function fixedOffset(name: string): number | null {
  const match = OFFSET.exec(name)
  if (match === null || Number(match[2]) > 23) return null
  const seconds = (Number(match[2]) * 60 + Number(match[3])) * 60
  return match[1] === '-' ? -seconds : seconds
}

const noZone = (shown: string, operator: string): MillraceError =>
  new MillraceError(
    'MR_INVALID_OPTION',
    `${operator}: there is no time zone ${shown}; write a name such as 'Europe/Berlin', or an offset such as '+05:30'`,
    { operator },
  )
