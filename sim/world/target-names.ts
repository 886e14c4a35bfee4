import { Seconds, after, formatIpPrefix } from '@breakwater/core'
import type { Clock, Duration, Instant } from '@breakwater/core'
import type { ProtectionRequest, Resolver } from '@breakwater/dots'
import { SimulatedNameService } from '@breakwater/testing'
import type { VirtualClock } from '@breakwater/testing'
import { prefix } from '../addressing.ts'
import type { NamingPlan } from '../layout.ts'
import type { Process } from './process.ts'

/** A resolver gives up after so long. */
const PATIENCE: Duration = Seconds(5)

/** A client asks no more often than this, whatever the TTL says. */
const SHORTEST_LIFETIME = 30

/** What an answer leaves out stays so much longer than the answer before it was good for. */
const MARGIN = 15

/** A client that got no answer asks again after so long at the latest. */
const LONGEST_RETRY = 300

/** For the answers to be on their way, and for what was gathered to be placed. */
const MOMENT = 10

/** When a client certainly knows what a name means, told without its help. */
interface Knowledge {
  /** Addresses as prefixes of hosts. */
  readonly addresses: readonly string[]
  readonly ttlSeconds: number
  /** For how long the client goes by an answer. */
  readonly lifetimeSeconds: number
  readonly certainFrom: Instant
}

/** The name service of a site, and what its client must make of the names (RFC 9132 §4.4.1.1). */
export class TargetNames {
  readonly #clock: VirtualClock
  readonly #names = new Map<string, Knowledge>()
  /** Of all answers that there ever are: a client that begins goes by what an earlier life knew. */
  readonly #longestLifetime: number
  /** Of all names. */
  #certainFrom: Instant
  #isSilent = false
  #service: SimulatedNameService | undefined
  readonly #resolved = new WeakMap<ProtectionRequest, Map<string, ProtectionRequest>>()

  constructor({ names, silences }: NamingPlan, clock: VirtualClock) {
    this.#clock = clock
    this.#certainFrom = clock.now()
    const ttls = names.flatMap(({ answers }) => answers.map(({ ttlSeconds }) => ttlSeconds))
    this.#longestLifetime = Math.max(SHORTEST_LIFETIME, ...ttls)
    const at = (seconds: number): Instant => after(clock.now(), Seconds(seconds))
    for (const { name, answers } of names)
      for (const answer of answers)
        if (answer.at === 0) this.#know(name, answer.addresses, answer.ttlSeconds)
        else clock.schedule(at(answer.at), () => this.#know(name, answer.addresses, answer.ttlSeconds))
    for (const silence of silences) {
      clock.schedule(at(silence.at), () => this.#silence(true))
      clock.schedule(at(silence.at + silence.lasts), () => this.#silence(false))
    }
  }

  /** For one life of the client. */
  resolver(process: Process): Resolver {
    const clock: Clock = {
      now: () => process.now(),
      wallClock: () => process.wallClock(),
      schedule: (at, act) =>
        process.schedule(at, () => {
          this.#clock.expectPromises()
          act()
        })
    }
    const service = new SimulatedNameService(clock)
    service.isDead = this.#isSilent
    this.#service = service
    for (const name of this.#names.keys()) this.#publish(name)
    return service.resolver(PATIENCE)
  }

  /** The client has begun, or stood still: what it asks for now it knows a moment later, and what it knew leaves later. */
  disturb(): void {
    this.#doubtAll(this.#longestLifetime + MARGIN + MOMENT)
  }

  /**
   * The same request, with the addresses of its names among its prefixes; undefined: what its client makes of them is not
   * certain at present.
   * @param since When it was asked for.
   */
  resolve(request: ProtectionRequest, since: Instant, at: Instant): ProtectionRequest | undefined {
    const names = request.named?.names ?? []
    if (names.length === 0) return request
    const known = names.map((name) => this.#names.get(name))
    const isCertain = known.every((each) => each !== undefined && each.certainFrom <= at)
    if (!isCertain || this.#isSilent || this.#certainFrom > at || after(since, Seconds(MOMENT)) > at)
      return undefined
    const addresses = [...new Set(known.flatMap((each) => each?.addresses ?? []))].toSorted()
    return this.#withAddresses(request, addresses)
  }

  /** One object for each, as the oracle remembers what it has worked out. */
  #withAddresses(request: ProtectionRequest, addresses: readonly string[]): ProtectionRequest {
    const known = this.#resolved.get(request) ?? new Map<string, ProtectionRequest>()
    this.#resolved.set(request, known)
    const key = addresses.join()
    const { target } = request
    const plain = target.prefixes.map(formatIpPrefix)
    const prefixes = [...new Set([...plain, ...addresses])].map(prefix)
    const found = known.get(key) ?? { ...request, target: { ...target, prefixes } }
    known.set(key, found)
    return found
  }

  #know(name: string, addresses: readonly string[], ttlSeconds: number): void {
    const before = this.#names.get(name)
    const lifetimeSeconds = Math.max(SHORTEST_LIFETIME, ttlSeconds)
    const former = before?.lifetimeSeconds ?? 0
    // It is asked for again when the old answer is over, and what that said stays as long once more.
    const doubt = before === undefined ? MOMENT : 2 * former + MARGIN + MOMENT
    const certain = after(this.#clock.now(), Seconds(doubt))
    const certainFrom = before !== undefined && before.certainFrom > certain ? before.certainFrom : certain
    this.#names.set(name, { addresses, ttlSeconds, lifetimeSeconds, certainFrom })
    this.#publish(name)
  }

  #publish(name: string): void {
    const { addresses = [], ttlSeconds = 0 } = this.#names.get(name) ?? {}
    this.#service?.names.set(name, {
      kind: 'addresses',
      addresses: addresses.map((text) => prefix(text).address),
      ttlSeconds
    })
  }

  #silence(isSilent: boolean): void {
    this.#isSilent = isSilent
    if (this.#service !== undefined) this.#service.isDead = isSilent
    if (!isSilent) this.#doubtAll(LONGEST_RETRY + this.#longestLifetime + MARGIN + MOMENT)
  }

  #doubtAll(seconds: number): void {
    const until = after(this.#clock.now(), Seconds(seconds))
    if (until > this.#certainFrom) this.#certainFrom = until
  }
}
