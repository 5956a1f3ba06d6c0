/** Numbers as people read them: grouped, with a true minus sign, in the unit that fits. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const tenths = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 })
const threeDigits = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })

const withMinus = (text: string): string => text.replace('-', '−')

export const formatWhole = (value: number): string => withMinus(whole.format(value))

export const formatFlights = (count: number): string => `${formatWhole(count)} ${count === 1 ? 'flight' : 'flights'}`

/** One decimal; never "−0.0". */
export function formatTenths(value: number): string {
  const text = tenths.format(value)
  return text === '-0.0' ? '0.0' : withMinus(text)
}

/** `28.4 M`, `940 k`. */
export function formatMagnitude(value: number): string {
  if (value >= 1e9) return `${threeDigits.format(value / 1e9)} G`
  return value >= 1e6 ? `${threeDigits.format(value / 1e6)} M` : `${threeDigits.format(value / 1e3)} k`
}

export const formatBytes = (bytes: number): string =>
  bytes >= 1e6 ? `${tenths.format(bytes / 1e6)} MB` : `${whole.format(bytes / 1e3)} kB`

export const formatDuration = (ms: number): string =>
  ms >= 1000 ? `${threeDigits.format(ms / 1000)} s` : `${whole.format(ms)} ms`

/** Of a whole: `22.1 %`, and `under 0.1 %` rather than a wrong zero. */
export function formatShare(part: number, of: number): string {
  const percent = of === 0 ? 0 : (part / of) * 100
  return percent > 0 && percent < 0.1 ? 'under 0.1 %' : `${tenths.format(percent)} %`
}

export const formatHour = (hour: number): string => `${String(hour).padStart(2, '0')}:00`
