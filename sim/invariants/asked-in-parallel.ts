import { Seconds, after, between, prefixesOverlap } from '@breakwater/core'
import type { Duration, Instant, IpPrefix } from '@breakwater/core'
import type { ProtectionRequest } from '@breakwater/dots'
import type { Customer } from '../world/customer.ts'
import type { Traffic } from '../world/traffic.ts'
import type { Invariant, MakeInvariant, Report, WorldView } from './invariant.ts'

/**
 * All servers that a target is for are asked at the same time (RFC 9284 §5.1, §5.2): from the moment at which it is wanted,
 * each of them hears of it within one pacing interval. Looked at where nothing else may be in the way: nothing is wrong
 * anywhere, the session is there, has room for a datagram, and nothing of ours at that server has to do with the target.
 */
export const askedInParallel: MakeInvariant = (view) => new AskedInParallel(view)

/** RFC 9132 §4.4: without a measured round trip, one datagram in so much time. */
const PACING_INTERVAL: Duration = Seconds(3)

/** What a fault leaves behind is over by then. */
const CALM: Duration = Seconds(90)

/** A wish, and who must hear of it. */
interface Wish {
  readonly customer: Customer
  readonly request: ProtectionRequest
  readonly at: Instant
  readonly unasked: Map<number, readonly IpPrefix[]>
  /** Another wish of the same client came before it was time. */
  isDisturbed: boolean
}

class AskedInParallel implements Invariant {
  readonly name = 'asked-in-parallel'
  readonly #view: WorldView
  #open: Wish[] = []
  /** When a client last sent something, by client and server. */
  readonly #sentAt = new Map<string, Instant>()

  constructor(view: WorldView) {
    this.#view = view
  }

  traffic({ when, direction, site, provider, seen, entry }: Traffic): void {
    if (when !== 'sent' || direction !== 'to-server' || provider === undefined) return
    this.#sentAt.set(`${site} ${provider}`, entry.at)
    if (seen?.kind !== 'put' || seen.target === undefined) return
    for (const { customer, at, unasked } of this.#open) {
      const wanted = unasked.get(provider)
      if (customer.plan.number !== site || wanted === undefined || isOver(at, entry.at)) continue
      if (overlaps(seen.target.prefixes, wanted)) unasked.delete(provider)
    }
  }

  sample(report: Report): void {
    const now = this.#view.clock.now()
    const due = this.#open.filter(({ at }) => isOver(at, now))
    this.#open = this.#open.filter((wish) => !due.includes(wish))
    for (const { customer, request, unasked, at, isDisturbed } of due)
      if (!isDisturbed && this.#view.weather.isCalm(between(at, now)))
        for (const server of unasked.keys())
          report(
            `site ${customer.plan.number} did not ask server ${server} about ${request.id} with the others`
          )
  }

  wish(site: number, request: ProtectionRequest | undefined): void {
    const at = this.#view.clock.now()
    const customer = this.#view.customers[site]
    for (const wish of this.#open)
      if (wish.customer === customer && !isOver(wish.at, at)) wish.isDisturbed = true
    const status = customer?.status()
    if (
      customer === undefined ||
      request === undefined ||
      status === undefined ||
      !this.#view.weather.isCalm(CALM)
    )
      return
    const unasked = new Map<number, readonly IpPrefix[]>()
    for (const { servers, prefixes } of customer.wishes.expect(request, at)?.asked ?? []) {
      const [server = -1] = servers
      const called = this.#view.layout.servers[server]?.called
      const session = status.sessions.find((each) => each.server === called)
      const own = status.requests.filter((each) => each.server === called)
      const isBusy = own.some(
        ({ state, target }) => state !== 'in-force' || overlaps(target.prefixes, prefixes)
      )
      // Of servers that stand in for one another, only the client knows which.
      if (
        servers.length === 1 &&
        session?.state === 'established' &&
        !isBusy &&
        this.#hasRoom(customer, server, at)
      )
        unasked.set(server, prefixes)
    }
    if (unasked.size > 1) this.#open.push({ customer, request, at, unasked, isDisturbed: false })
  }

  #hasRoom({ plan }: Customer, server: number, at: Instant): boolean {
    const sent = this.#sentAt.get(`${plan.number} ${server}`)
    return sent === undefined || between(sent, at) > PACING_INTERVAL
  }
}

function isOver(since: Instant, now: Instant): boolean {
  return after(since, PACING_INTERVAL) < now
}

function overlaps(some: readonly IpPrefix[], others: readonly IpPrefix[]): boolean {
  return some.some((one) => others.some((other) => prefixesOverlap(one, other)))
}
