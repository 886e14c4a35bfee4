import { Milliseconds, Seconds, after, encodeUtf8 } from '@breakwater/core'
import type { Clock, Instant, IpAddress, OpenSecureEndpoint, ScheduledCall, WallTime } from '@breakwater/core'
import type { ClientHost, ClientStatus, Resolver } from '@breakwater/dots'

/** A clock that runs too fast, by a factor, from the moment at which it was made. */
export class HastyClock implements Clock {
  readonly #clock: Clock
  readonly #factor: number
  readonly #origin: Instant

  constructor(clock: Clock, factor: number) {
    this.#clock = clock
    this.#factor = factor
    this.#origin = clock.now()
  }

  now(): Instant {
    return after(this.#origin, this.#scaled(this.#clock.now(), this.#factor))
  }

  wallClock(): WallTime {
    return this.#clock.wallClock()
  }

  schedule(at: Instant, act: () => void): ScheduledCall {
    // A little later: rounding must not make it call before its own time has come.
    const due = after(this.#origin, this.#scaled(at, 1 / this.#factor))
    return this.#clock.schedule(after(due, Milliseconds(0.001)), act)
  }

  #scaled(moment: Instant, factor: number): Parameters<typeof after>[1] {
    return ((moment - this.#origin) * factor) as Parameters<typeof after>[1]
  }
}

/** Opens endpoints that are bound neither to their source address nor to their interface. */
export function unbound(open: OpenSecureEndpoint): OpenSecureEndpoint {
  return (options, handlers) => {
    const { interface: bound, ...rest } = options
    const { address, port } = options.local
    return bound === undefined
      ? open(options, handlers)
      : open({ ...rest, local: { address: anyOf(address), port } }, handlers)
  }
}

/** Opens endpoints that connect to other addresses than they are told to. */
export function astray(
  open: OpenSecureEndpoint,
  instead: (told: IpAddress) => IpAddress
): OpenSecureEndpoint {
  return async (options, handlers) => {
    const endpoint = await open(options, handlers)
    const connect = endpoint.connect.bind(endpoint)
    endpoint.connect = (request) => {
      const { address, port } = request.remote
      return connect({ ...request, remote: { address: instead(address), port } })
    }
    return endpoint
  }
}

/** Opens endpoints that add these words to every long message. */
export function talkative(open: OpenSecureEndpoint, words: () => readonly string[]): OpenSecureEndpoint {
  return async (options, handlers) => {
    const endpoint = await open(options, handlers)
    const send = endpoint.send.bind(endpoint)
    endpoint.send = (peer, bytes) => send(peer, new Uint8Array([...bytes, ...encodeUtf8(words().join(' '))]))
    return endpoint
  }
}

/** Opens endpoints each of which sends so much later than the one before it. */
export function inTurn(open: OpenSecureEndpoint, clock: Clock): OpenSecureEndpoint {
  let opened = 0
  return async (options, handlers) => {
    const delay = Seconds(8 * (opened++ % 4))
    const endpoint = await open(options, handlers)
    const send = endpoint.send.bind(endpoint)
    endpoint.send = (peer, bytes) => {
      const copy = bytes.slice()
      clock.schedule(after(clock.now(), delay), () => send(peer, copy))
      return true
    }
    return endpoint
  }
}

/** What an operator sees of a client that does not say why servers do not protect, or why nobody is asked. */
export function withoutReasons(status: ClientStatus, of: 'servers' | 'unasked'): ClientStatus {
  const protections = status.protections.map((each) => ({
    ...each,
    missing: each.missing.filter(({ server }) => (server === undefined) === (of === 'servers'))
  }))
  return { ...status, protections }
}

/** A resolver that does not ask twice. */
export function forgetfulOfTime(resolver: Resolver): Resolver {
  const known = new Map<string, ReturnType<Resolver['resolve']>>()
  return {
    ...resolver,
    resolve: (name) => {
      const answer = known.get(name) ?? resolver.resolve(name)
      known.set(name, answer)
      return answer
    }
  }
}

function anyOf({ family }: IpAddress): IpAddress {
  return { family, a: 0, b: 0, c: 0, d: 0 }
}

/** Two clients that pass for one and know nothing of each other: each serves every other protection. */
export function twoClients(one: ClientHost, other: ClientHost): ClientHost {
  const hostOf = (id: string): ClientHost => ((id.codePointAt(id.length - 1) ?? 0) % 2 === 0 ? one : other)
  return {
    ...one,
    protect: (request) => hostOf(request.id).protect(request),
    release: (id) => hostOf(id).release(id),
    status: () => {
      const { sessions, protections, requests } = one.status()
      const second = other.status()
      return {
        sessions,
        protections: [...protections, ...second.protections],
        requests: [...requests, ...second.requests]
      }
    },
    close: async () => {
      await one.close()
      await other.close()
    }
  }
}
