import { Seconds, TimerTable, after, between, equalIpAddresses } from '@breakwater/core'
import type { Duration, Instant, IpAddress, Machine } from '@breakwater/core'
import type { ServerName } from '../../domain/identifier.ts'
import { isSameServer } from '../../domain/site.ts'
import type { DotsServer, Site } from '../../domain/site.ts'
import { judgeAddresses } from '../../multihoming/found-address.ts'
import type { JudgedAddresses } from '../../multihoming/found-address.ts'
import { GIVEN_UP, QUESTION_GIVEN_UP_AFTER } from '../names/name-outcome.ts'
import type { NameOutcome } from '../names/name-outcome.ts'

/** Where a server was in an earlier life. */
export interface RememberedLocation {
  /** The name that it was asked by. */
  readonly referenceName: string
  readonly addresses: readonly IpAddress[]
}

export type ServerLocatorInput =
  | { readonly kind: 'start' }
  | { readonly kind: 'stop' }
  /** The site is this one now. */
  | { readonly kind: 'site'; readonly site: Site }
  /** The answer to `ask`. */
  | { readonly kind: 'answered'; readonly question: number; readonly outcome: NameOutcome }
  /** A session stands, and the server has shown its certificate at this address; undefined: there is no session. */
  | { readonly kind: 'session'; readonly server: ServerName; readonly at: IpAddress | undefined }
  /** What `remember` said in an earlier life; before `start`. */
  | { readonly kind: 'remembered'; readonly locations: ReadonlyMap<ServerName, RememberedLocation> }

export type ServerLocatorOutput =
  /** Where is this server, to the name servers of its own domain? Answered by `answered`. */
  | { readonly kind: 'ask'; readonly question: number; readonly server: DotsServer }
  /** Other addresses are a server's now, or none. */
  | { readonly kind: 'moved'; readonly server: ServerName }
  /** What is known of it, for people. */
  | { readonly kind: 'located'; readonly server: DotsServer; readonly location: ServerLocation }
  /** To be stored where a restart finds it. */
  | { readonly kind: 'remember'; readonly server: ServerName; readonly location: RememberedLocation }

/** Where a server is that is known by its name. */
export interface ServerLocation {
  readonly addresses: readonly IpAddress[]
  /** What was wrong with the last answer; empty: nothing. */
  readonly trouble: string
}

/** A shorter time to live costs questions and changes nothing: a session that stands does not move. */
const LEAST_TTL: Duration = Seconds(30)
/** Who is asked for once a day at least is found in time, should the name service die with the attack. */
const MOST_TTL: Duration = Seconds(86_400)

/** As long as there is no session: a name service that has come back is noticed within 10 seconds. */
const RETRY: Duration = Seconds(3)
/** With a session nothing is urgent. */
const CALM_RETRY: Duration = Seconds(60)

/** Each run over the paths is to know what the name means by then, unless it was just asked for. */
const FRESH: Duration = Seconds(10)

/** So long an answer is waited for, before what an earlier life knew is used, or people hear that nobody knows. */
const PATIENCE: Duration = Seconds(1)

const UNANSWERED = 'its name is being asked for'

interface Located {
  readonly server: DotsServer
  /** What the last usable answer said, or an earlier life knew. */
  answered: readonly IpAddress[]
  judged: JudgedAddresses
  /** Where the server showed its certificate last. */
  proven: readonly IpAddress[]
  failure: string
  isUp: boolean
  /** That is open. */
  question: number | undefined
  askedAt: Instant | undefined
  /** An answer came, or was waited for in vain. */
  isReady: boolean
  told: string
}

/**
 * Knows where the servers are whose operator gave their names alone: each is asked for at the name servers of its own domain
 * (RFC 9284 §5.1), again when the answer is no longer good, and when its session is lost. A failure, or an answer that is
 * refused, takes nothing away: what was known stays (RFC 8767), and so does the address where the server proved who it is, so
 * that a name service that lies cannot take it from us.
 *
 * | a server that is | start | usable answer | failure | session lost | time |
 * |---|---|---|---|---|---|
 * | unknown | asked | known for its TTL | asked again in 3 s | – | asked |
 * | known | asked | known for its TTL | asked again, soon without a session | asked, unless it just was | asked |
 */
export class ServerLocator implements Machine<ServerLocatorInput, ServerLocatorOutput> {
  #site: Site
  readonly #servers = new Map<ServerName, Located>()
  /** What was known of those that are of the site no more. */
  readonly #absent = new Map<ServerName, Located>()
  readonly #timers = new TimerTable<`ask:${string}` | `patience:${string}` | `give-up:${string}`>()
  readonly #outputs: ServerLocatorOutput[] = []
  #nextQuestion = 1
  #isStarted = false

  constructor(site: Site) {
    this.#site = site
    this.#take(site)
  }

  /** An answer has come, or was waited for in vain: sessions may begin. */
  isReady(server: ServerName): boolean {
    return this.#servers.get(server)?.isReady ?? false
  }

  /** Where it may be. */
  location(server: ServerName): ServerLocation {
    const located = this.#servers.get(server)
    return located?.isReady === true ? locationOf(located) : { addresses: [], trouble: UNANSWERED }
  }

  handle(input: ServerLocatorInput, now: Instant): void {
    switch (input.kind) {
      case 'start':
        this.#isStarted = true
        for (const located of this.#servers.values()) this.#begin(located, now)
        return
      case 'stop':
        this.#isStarted = false
        for (const name of this.#servers.keys()) this.#cancel(name)
        return
      case 'site':
        this.#site = input.site
        this.#take(input.site)
        this.#judgeAll()
        if (this.#isStarted) for (const located of this.#servers.values()) this.#begin(located, now)
        return
      case 'answered':
        this.#answered(input.question, input.outcome, now)
        return
      case 'session':
        this.#session(input.server, input.at, now)
        return
      case 'remembered':
        for (const [name, location] of input.locations) this.#restore(name, location)
    }
  }

  poll(): ServerLocatorOutput | undefined {
    return this.#outputs.shift()
  }

  nextTimeout(): Instant | undefined {
    return this.#timers.next()
  }

  handleTimeout(now: Instant): void {
    for (let due = this.#timers.takeDue(now); due !== undefined; due = this.#timers.takeDue(now)) {
      const [kind, name] = splitOnce(due)
      const located = this.#servers.get(name as ServerName)
      if (located === undefined) continue
      if (kind === 'ask') this.#ask(located, now)
      else if (kind === 'patience') this.#ready(located)
      else if (located.question !== undefined) this.#answered(located.question, GIVEN_UP, now)
    }
  }

  /** Who stays keeps what is known of it, and so does who comes back: its name service may be dead by then. */
  #take(site: Site): void {
    const named = site.domains.flatMap(({ servers }) => servers).filter(({ isNamed }) => isNamed === true)
    for (const [name, located] of this.#servers)
      if (!named.some((each) => isSameServer(each, located.server))) {
        this.#servers.delete(name)
        this.#absent.set(name, located)
        this.#cancel(name)
      }
    for (const server of named) {
      const known = this.#servers.get(server.name) ?? this.#takeBack(server)
      this.#servers.set(server.name, { ...known, server })
    }
  }

  /** It is asked for anew, and is where it was until there is an answer. */
  #takeBack(server: DotsServer): Located {
    const former = this.#absent.get(server.name)
    this.#absent.delete(server.name)
    if (former === undefined || !isSameServer(former.server, server)) return unknown(server)
    const { answered, judged, proven, failure } = former
    const isReady = locationOf(former).addresses.length > 0
    return { ...unknown(server), answered, judged, proven, failure, isReady }
  }

  #begin(located: Located, now: Instant): void {
    if (located.askedAt !== undefined) return
    this.#timers.set(`patience:${located.server.name}`, after(now, PATIENCE))
    this.#ask(located, now)
  }

  #ask(located: Located, now: Instant): void {
    this.#timers.cancel(`ask:${located.server.name}`)
    if (located.question !== undefined || !this.#isStarted) return
    const question = this.#nextQuestion++
    located.question = question
    located.askedAt = now
    this.#timers.set(`give-up:${located.server.name}`, after(now, QUESTION_GIVEN_UP_AFTER))
    this.#outputs.push({ kind: 'ask', question, server: located.server })
  }

  /** What was asked about a server that has another name by now, or is of another domain, says nothing of this one. */
  #answered(question: number, outcome: NameOutcome, now: Instant): void {
    const located = [...this.#servers.values()].find((each) => each.question === question)
    if (located === undefined) return
    const { name } = located.server
    located.question = undefined
    this.#timers.cancel(`give-up:${name}`)
    located.failure = failureOf(outcome)
    const judged = outcome.kind === 'addresses' ? this.#judge(located.server, outcome.addresses) : undefined
    if (outcome.kind === 'addresses' && judged !== undefined && judged.taken.length > 0) {
      located.answered = outcome.addresses
      located.judged = judged
      this.#remember(located)
      this.#timers.set(`ask:${name}`, after(now, bounded(outcome.ttlSeconds)))
    } else {
      if (judged?.refused !== undefined) located.failure = judged.refused
      this.#timers.set(`ask:${name}`, after(now, located.isUp ? CALM_RETRY : RETRY))
    }
    this.#ready(located)
  }

  /** Sessions may begin, with what is known. */
  #ready(located: Located): void {
    this.#timers.cancel(`patience:${located.server.name}`)
    const isFirst = !located.isReady
    located.isReady = true
    this.#tell(located, isFirst)
  }

  #session(name: ServerName, at: IpAddress | undefined, now: Instant): void {
    const located = this.#servers.get(name)
    if (located === undefined) return
    const wasUp = located.isUp
    located.isUp = at !== undefined
    if (at !== undefined) {
      if (wasUp && located.proven.some((each) => equalIpAddresses(each, at))) return
      // What another domain's server has proved before stays that one's.
      if (this.#judge(located.server, [at]).taken.length === 0) return
      located.proven = [at]
      this.#remember(located)
      this.#judgeAll()
    } else if (located.askedAt !== undefined && between(located.askedAt, now) >= FRESH)
      this.#ask(located, now)
  }

  #restore(name: ServerName, { referenceName, addresses }: RememberedLocation): void {
    const located = this.#servers.get(name)
    if (located === undefined || located.server.referenceName !== referenceName) return
    located.answered = addresses
    located.judged = this.#judge(located.server, addresses)
  }

  /** What one server has proved is no other domain's any more. */
  #judgeAll(): void {
    for (const located of this.#servers.values()) {
      located.judged = this.#judge(located.server, located.answered)
      located.proven = this.#judge(located.server, located.proven).taken
      if (located.isReady) this.#tell(located, false)
    }
  }

  #judge(server: DotsServer, addresses: readonly IpAddress[]): JudgedAddresses {
    const proven = new Map([...this.#servers].map(([name, each]) => [name, each.proven] as const))
    return judgeAddresses(this.#site, server, addresses, proven)
  }

  #tell(located: Located, isFirst: boolean): void {
    const { server } = located
    const location = locationOf(located)
    const text = JSON.stringify(location)
    if (text === located.told && !isFirst) return
    located.told = text
    this.#outputs.push({ kind: 'moved', server: server.name }, { kind: 'located', server, location })
  }

  #remember({ server, answered, proven }: Located): void {
    const location = { referenceName: server.referenceName, addresses: union(proven, answered) }
    this.#outputs.push({ kind: 'remember', server: server.name, location })
  }

  #cancel(name: ServerName): void {
    this.#timers.cancel(`ask:${name}`)
    this.#timers.cancel(`patience:${name}`)
    this.#timers.cancel(`give-up:${name}`)
  }
}

function unknown(server: DotsServer): Located {
  return {
    server,
    answered: [],
    judged: { taken: [], refused: undefined },
    proven: [],
    failure: '',
    isUp: false,
    question: undefined,
    askedAt: undefined,
    isReady: false,
    told: ''
  }
}

function locationOf({ failure, judged, proven }: Located): ServerLocation {
  const addresses = union(judged.taken, proven)
  const trouble = failure === '' ? (judged.refused ?? '') : failure
  return { addresses, trouble: trouble === '' && addresses.length === 0 ? UNANSWERED : trouble }
}

function failureOf(outcome: NameOutcome): string {
  if (outcome.kind === 'failed') return outcome.reason
  if (outcome.kind === 'no-such-name') return 'there is no such name'
  return outcome.addresses.length === 0 ? 'the name has no address' : ''
}

function union(first: readonly IpAddress[], then: readonly IpAddress[]): readonly IpAddress[] {
  return [...first, ...then.filter((one) => !first.some((other) => equalIpAddresses(one, other)))]
}

function bounded(ttlSeconds: number): Duration {
  return Seconds(Math.min(Math.max(ttlSeconds, LEAST_TTL / 1000), MOST_TTL / 1000))
}

function splitOnce(text: string): readonly [string, string] {
  const at = text.indexOf(':')
  return [text.slice(0, at), text.slice(at + 1)]
}
