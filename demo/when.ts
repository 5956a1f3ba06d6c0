/** Times of the flights as people read them. They are in UTC, which here stands for the clock of the airport. */

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

const two = (value: number): string => String(value).padStart(2, '0')

/** `14:05`. */
export function formatClock(ms: number): string {
  const time = new Date(ms)
  return `${two(time.getUTCHours())}:${two(time.getUTCMinutes())}`
}

/** `8 Jan`. */
export function formatDay(ms: number): string {
  const time = new Date(ms)
  return `${time.getUTCDate()} ${months[time.getUTCMonth()]}`
}

/** `Mon 8 Jan 2001, 14:05`. */
export function formatMoment(ms: number): string {
  const time = new Date(ms)
  return `${days[time.getUTCDay()]} ${formatDay(ms)} ${time.getUTCFullYear()}, ${formatClock(ms)}`
}

/** `2 h 05 min`, `12 min`. */
export function formatSpan(ms: number): string {
  const minutes = Math.round(ms / 60_000)
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`
}
