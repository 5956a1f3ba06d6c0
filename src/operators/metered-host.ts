/** An exchange that a breaker carries out itself, in its time and name. */
import type { ExchangeHost, Meter, OwnExchange } from './operator.js'
import { pulled } from './pulled.js'

/** What is asked of it goes on to be asked of `exchange`. */
export const meteredExchange = (exchange: OwnExchange, meter: Meter): OwnExchange =>
  Object.create(exchange, {
    carryOut: {
      value: ((host, terms) => exchange.carryOut(meteredHost(host, meter), terms)) satisfies OwnExchange['carryOut'],
    },
  })

function meteredHost(host: ExchangeHost, meter: Meter): ExchangeHost {
  return {
    lane: host.lane,
    send: (to, parts) => host.send(to, pulled(parts, meter.run)),
    receive: (from, take) => host.receive(from, part => meter.run(() => take(part))),
    each: (items, use) => host.each(pulled(items, meter.run), use),
    charged: work => host.charged(() => meter.run(work)),
    give(morsel, split) {
      meter.gave(morsel)
      host.give(morsel, split)
    },
  }
}
