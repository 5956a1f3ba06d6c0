// Seeded random numbers for the benchmarks' data: the same everywhere, and no host generator.

/**
 * The sfc32 generator (Doty-Humphrey, PractRand), seeded by two integers through the splitmix32 finaliser.
 *
 * @param {number} seed
 * @param {number} stream numbers the independent streams of one seed
 * @returns {() => number} uniform in [0, 1), 32 bits
 */
export function randomStream(seed, stream) {
  let a = scramble(seed)
  let b = scramble(a ^ stream)
  let c = scramble(b + 0x9e3779b9)
  let counter = 1
  const next = () => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 4294967296
  }
  for (let i = 0; i < 12; i++) next()
  return next
}

function scramble(x) {
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad)
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97)
  return (x ^ (x >>> 15)) | 0
}
