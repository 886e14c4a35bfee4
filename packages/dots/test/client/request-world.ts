import { Code, OptionNumber, uintOption } from '@breakwater/coap'
import type { CoapRequest } from '@breakwater/coap'
import { Instant, Seconds, WallTime, after, ipv4, prefixOf } from '@breakwater/core'
import type { Entropy } from '@breakwater/core'
import { decodeSignal, encodeSignal } from '@breakwater/model'
import { seededEntropy } from '@breakwater/testing'
import { Calendar } from '../../src/client/memory/calendar.ts'
import { errandKey } from '../../src/client/session/errand.ts'
import type { Errand } from '../../src/client/session/errand.ts'
import { RequestBook } from '../../src/client/requests/request-book.ts'
import type { LastingWant } from '../../src/client/requests/lasting-want.ts'
import { sizeOf } from '../../src/client/requests/request-size.ts'
import { isInForce } from '../../src/client/requests/request-state.ts'
import { parseCuid } from '../../src/domain/identifier.ts'
import type { Target } from '../../src/domain/target.ts'
import { ASSUMED_PATH_MTU } from '../../src/multihoming/split-to-fit.ts'
import { parseTarget } from '../../src/signal/mapper.ts'
import { ADDRESSES, AddressServer, addressesOf } from './address-server.ts'
import { want } from './scripted-server.ts'

/** RFC 9132 §7.3: what fits a path of 1280 bytes beside the headers of IPv6, UDP and DTLS. */
export const MOST_BYTES = 1280 - 100

interface Asked {
  readonly errand: Errand
  readonly request: CoapRequest
}

/** One client's requests at one server. Messages are heard in the order in which they were sent, many of them late. */
export class RequestWorld {
  now: Instant = Instant(0)
  readonly server = new AddressServer()
  readonly chance: Entropy
  readonly live = new Map<number, LastingWant>()
  /** Those that the client has called protected since they were asked for. */
  settled: ReadonlySet<LastingWant> = new Set()
  readonly losses: string[] = []
  largestBytes = 0
  deletions = 0
  readonly #book: RequestBook
  readonly #open = new Map<string, Asked>()

  constructor(seed: number) {
    this.chance = seededEntropy(seed)
    const calendar = new Calendar()
    calendar.tell(WallTime(1_767_225_600_000), this.now)
    this.#book = new RequestBook({
      cuid: parseCuid('dz6pHjaADkaFTbjr0JGBpw')!,
      calendar,
      entropy: this.chance,
      pathMtu: { planned: () => ASSUMED_PATH_MTU, said: () => ASSUMED_PATH_MTU }
    })
    this.#book.resume(undefined, this.now)
    this.#book.sessionUp(this.now)
    this.#drain()
  }

  get requests() {
    return this.#book.requests
  }

  /** Protects and releases; `slot` is the protection's number. */
  change(slot: number, target: Target | undefined): void {
    if (target === undefined) this.live.delete(slot)
    else this.live.set(slot, want(`p${slot}`, target, 36_000))
  }

  /** What is wanted now is compiled and sent; of what is open, about `share` of 4 are heard. */
  settle(share: number): void {
    this.#book.want([...this.live.values()], this.now)
    this.#drain()
    this.#serve(share)
    this.now = after(this.now, Seconds(1))
    this.#noteSettled()
  }

  get isIdle(): boolean {
    return [...this.#open.values()].every(({ errand }) => errand.kind === 'list' || errand.kind === 'observe')
  }

  #drain(): void {
    for (let output = this.#book.poll(); output !== undefined; output = this.#book.poll())
      if (output.kind === 'ask') this.#open.set(errandKey(output.errand), output)
      else if (output.kind === 'forget') this.#open.delete(errandKey(output.errand))
  }

  #serve(share: number): void {
    // Whom a message could harm: those that need an address of a request that it ends.
    const needs = new Map<number, LastingWant[]>()
    for (const each of this.live.values())
      if (this.settled.has(each))
        for (const at of addressesOf(each.target)) needs.set(at, [...(needs.get(at) ?? []), each])
    // What comes of the answers is heard in the next round.
    const open = [...this.#open]
    for (const [key, asked] of open) {
      if (!this.#open.has(key) || this.chance.uint32() % 4 >= share) continue
      if (asked.errand.kind === 'put') this.#put(asked, asked.errand.mitigationId, needs)
      else if (asked.errand.kind === 'delete') this.#delete(asked, asked.errand.mitigationId, needs)
    }
  }

  #put({ errand, request }: Asked, mid: number, needs: ReadonlyMap<number, LastingWant[]>): void {
    this.largestBytes = Math.max(this.largestBytes, sizeOf(request))
    const asked = parseTarget(decodeSignal(request.payload).mitigationScope?.scope?.[0] ?? {})
    if (!asked.ok) throw new Error('a request of ours is not well-formed')
    const doomed = this.server.doomedBy(mid, asked.value)
    this.deletions += doomed.length
    const before = this.#protectedIn([...doomed, mid], needs)
    const outcome = this.server.put(mid, asked.value)
    this.#compare(before, `PUT ${mid}`)
    const scope = { mid, lifetime: 36_000 }
    this.#answer(errand, Code[outcome], outcome === 'conflict' ? undefined : scope)
  }

  #delete({ errand }: Asked, mid: number, needs: ReadonlyMap<number, LastingWant[]>): void {
    const before = this.#protectedIn([mid], needs)
    this.server.delete(mid)
    this.#compare(before, `DELETE ${mid}`)
    this.#answer(errand, Code.deleted)
  }

  #answer(errand: Errand, code: number, scope?: { mid: number; lifetime: number }): void {
    const payload =
      scope === undefined ? new Uint8Array(0) : encodeSignal({ mitigationScope: { scope: [scope] } })
    const options = scope === undefined ? [] : [uintOption(OptionNumber.contentFormat, 271)]
    this.#open.delete(errandKey(errand))
    this.#book.answer(errand, { code, options, payload }, this.now)
    this.#drain()
  }

  /** Addresses of these requests that are protected for somebody who needs them. */
  #protectedIn(mids: readonly number[], needs: ReadonlyMap<number, LastingWant[]>) {
    const targets = mids.flatMap((mid) => this.server.requests.get(mid) ?? [])
    return targets
      .flatMap(addressesOf)
      .flatMap((at) =>
        (needs.get(at) ?? []).flatMap((each) => (this.server.protects(at, each.target) ? [{ at, each }] : []))
      )
  }

  #compare(before: readonly { at: number; each: LastingWant }[], message: string): void {
    for (const { at, each } of before)
      if (!this.server.protects(at, each.target))
        this.losses.push(`${message} takes address ${at} from ${each.protection}`)
  }

  #noteSettled(): void {
    const claims = new AddressServer()
    for (const { mitigationId, target, state, replacedBy } of this.#book.requests)
      if (isInForce(state) && replacedBy === undefined) claims.put(mitigationId, target)
    const isClaimed = (each: LastingWant): boolean =>
      addressesOf(each.target).every((at) => claims.protects(at, each.target))
    this.settled = new Set(
      [...this.live.values()].filter((each) => this.settled.has(each) || isClaimed(each))
    )
  }
}

/** Mostly one small prefix; now and then so many that they fit no single datagram. */
export function randomTarget(chance: Entropy): Target {
  const draw = (count: number): number => chance.uint32() % count
  const count = draw(200) === 0 ? 100 : 1 + (draw(10) === 0 ? 2 : 0)
  const prefixes = Array.from({ length: count }, () =>
    prefixOf(ipv4(0x0a000000 + draw(ADDRESSES)), count > 10 ? 32 : 25 + draw(8))
  )
  const ports = draw(3) === 0 ? [{ lower: 80, upper: 80 + draw(9) }] : []
  return { prefixes, ports, protocols: draw(3) === 0 ? [6] : [] }
}
