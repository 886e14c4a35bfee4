import type { Check } from '../scenario.ts'
import { parallelism } from './parallelism.ts'
import { isWithin } from './prefix.ts'
import { type Topology, linksOf, serversOf } from './topology.ts'
import type { AttackStatus, HeardRequest, MultihomedWorld } from './world.ts'

/** RFC 9132 §4.4 repeats a request every 3 s, and a machine may be busy. */
const ANSWER_WITHIN_SECONDS = 20
/** Handshakes of all agents at once; an attempt that failed is repeated after 60 s at the earliest (RFC 9132 §4.7). */
const SESSIONS_WITHIN_SECONDS = 30
/** So long nobody else must be asked, before it counts as not asked: longer than a repetition takes. */
const LEFT_ALONE_SECONDS = 4

/** A protection that a story asked for. */
export interface Asked {
  readonly id: string
  readonly client: string
  readonly targets: readonly string[]
  readonly atMs: number
}

/** The same kind of target at each server alone, and at all of them. */
export interface ParallelRound {
  readonly all: Asked
  readonly alone: readonly Asked[]
}

/** The words that scenarios are told in. Each expectation is a check, and tells what came out of it. */
export class Story {
  readonly world: MultihomedWorld
  readonly topology: Topology
  readonly checks: Check[] = []
  readonly figures: Record<string, number> = {}
  /** What came out, in words that do not depend on the backend, on time or on the order of uplinks. */
  readonly outcome: string[] = []
  readonly #print: (line: string) => void

  constructor(world: MultihomedWorld, topology: Topology, print: (line: string) => void) {
    this.world = world
    this.topology = topology
    this.#print = print
  }

  check(name: string, ok: boolean): void {
    this.checks.push({ name, ok })
    this.#print(`${ok ? 'ok  ' : 'FAIL'} ${name}`)
  }

  /** What helps to see why a check failed. */
  note(line: string): void {
    this.#print(line)
  }

  /** RFC 9284 §5.1: sessions are established and maintained with each of the servers. */
  async untilSessionsStand(): Promise<void> {
    for (const client of this.topology.clients) {
      const count = serversOf(this.topology, client).length
      const stand = async (): Promise<boolean> => {
        const states = await this.world.sessions(client.name)
        return states.length === count && states.every((state) => state === 'established')
      }
      const ok = await this.world.runUntil(stand, SESSIONS_WITHIN_SECONDS)
      this.check(`${client.name} has a session with each of its ${count} servers`, ok)
    }
  }

  /** All sessions are there again. @returns seconds that it took. */
  async expectSessions(withinSeconds: number): Promise<number> {
    const since = this.world.now()
    const stand = async (): Promise<boolean> => {
      const states = await Promise.all(this.topology.clients.map(({ name }) => this.world.sessions(name)))
      return states.flat().every((state) => state === 'established')
    }
    const ok = await this.world.runUntil(stand, withinSeconds)
    this.expect('all sessions stand again once the way is clear', ok)
    return (this.world.now() - since) / 1000
  }

  /** From a moment until a server heard of it for the first time. */
  secondsUntilAsked(asked: Asked, sinceMs: number): number {
    const moments = this.#about(asked).flatMap(({ atMs }) => (atMs >= sinceMs ? [atMs] : []))
    return (Math.min(...moments) - sinceMs) / 1000
  }

  async protect(client: string, ...targets: readonly string[]): Promise<Asked> {
    const atMs = this.world.now()
    const id = await this.world.protect(client, targets)
    if (id === undefined) throw new Error(`${client} refuses to protect ${targets.join(' ')}`)
    return { id, client, targets, atMs }
  }

  /** The target belongs to nobody whom this client could ask: it says so, and no server hears of it. */
  async expectRefusal(client: string, target: string): Promise<void> {
    const id = await this.world.protect(client, [target])
    await this.world.pass(LEFT_ALONE_SECONDS)
    const heard = this.world.heard().some(({ targets }) => targets.some((text) => isWithin(text, target)))
    this.expect(`${client} refuses ${target}, and nobody hears of it`, id === undefined && !heard)
  }

  /** Exactly these servers accept, each with its own part of the targets, and the client knows. */
  async expectAsked(asked: Asked, parts: Readonly<Record<string, readonly string[]>>): Promise<void> {
    const servers = Object.keys(parts)
    const isDone = async (): Promise<boolean> =>
      this.#acceptedBy(asked).length >= servers.length && (await this.#state(asked)) === 'protected'
    const done = await this.world.runUntil(isDone, ANSWER_WITHIN_SECONDS)
    const right = servers.every((server) => this.#isAskedFor(asked, server, parts[server] ?? []))
    const same = this.#askedServers(asked).join() === servers.toSorted().join()
    const name = `${asked.targets.join(' and ')}: ${asked.client} asks ${servers.toSorted().join(' and ')}, nobody else`
    this.expect(name, done && right && same)
  }

  /** As `expectAsked`, where servers know the targets by other addresses than the client was told. */
  async expectPlaced(asked: Asked, parts: Readonly<Record<string, readonly string[]>>): Promise<void> {
    const since = asked.atMs
    const seen = (): readonly string[] =>
      this.world
        .heard()
        .filter(({ method, outcome, atMs }) => method === 'PUT' && outcome === 'created' && atMs >= since)
        .map(({ provider, targets }) => `${provider} ${targets.toSorted().join()}`)
        .toSorted()
    const wanted = Object.entries(parts).map(([server, targets]) => `${server} ${targets.toSorted().join()}`)
    const isDone = async (): Promise<boolean> =>
      seen().length >= wanted.length && (await this.#state(asked)) === 'protected'
    const done = await this.world.runUntil(isDone, ANSWER_WITHIN_SECONDS)
    const ok = done && seen().join('\n') === wanted.toSorted().join('\n')
    this.expect(
      `${asked.targets.join(' and ')}: ${wanted.toSorted().join(' and ')} is asked, nothing else`,
      ok
    )
  }

  /**
   * From this moment on, servers hear exactly this, in this order: server, method, and what a PUT is about. Copies say
   * nothing new.
   * @returns seconds until the first of it.
   */
  async expectHeardNext(
    sinceMs: number,
    wanted: readonly string[],
    withinSeconds: number = ANSWER_WITHIN_SECONDS
  ): Promise<number> {
    const next = (): readonly HeardRequest[] =>
      this.world
        .heard()
        .filter(({ outcome, atMs }) => atMs >= sinceMs && outcome !== 'refreshed')
        .toSorted((one, other) => one.atMs - other.atMs)
    const done = await this.world.runUntil(
      () => Promise.resolve(next().length >= wanted.length),
      withinSeconds
    )
    await this.world.pass(LEFT_ALONE_SECONDS)
    const heard = next().map(({ provider, method, targets }) => {
      return method === 'PUT' ? `${provider} PUT ${targets.join()}` : `${provider} ${method}`
    })
    if (heard.join() !== wanted.join()) this.#print(`heard: ${heard.join(', then ')}`)
    this.expect(`next is heard: ${wanted.join(', then ')}`, done && heard.join() === wanted.join())
    return ((next()[0]?.atMs ?? this.world.now()) - sinceMs) / 1000
  }

  /** What the client and the servers hold now, to be compared later. */
  holdings(client: string): Promise<string> {
    return this.world.holdings(client).then((lines) => lines.toSorted().join('\n'))
  }

  /** They hold the same as before, neither less nor more, once what is under way has arrived. */
  async expectHoldings(client: string, before: string): Promise<void> {
    const isSame = async (): Promise<boolean> => (await this.holdings(client)) === before
    const ok = await this.world.runUntil(isSame, ANSWER_WITHIN_SECONDS)
    if (!ok) this.#print(`before:\n${before}\nnow:\n${await this.holdings(client)}`)
    this.expect(`${client} and the servers hold what they held before`, ok)
  }

  /** Its own server cannot be reached: the protection waits, and nobody else is asked in its place (RFC 9284 §5.1). */
  async expectNobodyElseAsked(asked: Asked, reached: readonly string[] = []): Promise<void> {
    await this.world.pass(LEFT_ALONE_SECONDS)
    const servers = this.#askedServers(asked).join(' and ')
    const state = await this.#state(asked)
    const ok = servers === reached.toSorted().join(' and ') && state !== 'protected' && state !== 'ended'
    this.expect(`${asked.targets.join(' and ')}: ${servers || 'nobody'} is asked while the way is cut`, ok)
  }

  /** After healing. A session that ended is established again after 60 s at the earliest (RFC 9132 §4.7). */
  async expectProtected(asked: Asked, withinSeconds = 75): Promise<number> {
    const since = this.world.now()
    const isProtected = async (): Promise<boolean> => (await this.#state(asked)) === 'protected'
    const ok = await this.world.runUntil(isProtected, withinSeconds)
    this.expect(`${asked.targets.join(' and ')} is protected once the way is clear`, ok)
    return (this.world.now() - since) / 1000
  }

  /** The operator sees that the attack on it goes on, or is over; its servers are told, which takes a moment. */
  async reportAttack({ client, id }: Asked, status: AttackStatus): Promise<void> {
    await this.world.reportAttack(client, id, status)
    await this.world.pass(LEFT_ALONE_SECONDS)
  }

  async release(asked: Asked): Promise<void> {
    await this.world.release(asked.client, asked.id)
    await this.world.pass(LEFT_ALONE_SECONDS)
  }

  async expectStillProtected(asked: Asked): Promise<void> {
    const state = await this.#state(asked)
    this.expect(`${asked.targets.join(' and ')} stays protected`, state === 'protected')
  }

  /**
   * All at once: the last acceptance comes when the slowest of those asked alone would come, and a fifth later at most. Where time
   * is real, the middle one of several rounds tells, and what a machine is busy with is allowed for.
   */
  expectParallel(rounds: readonly ParallelRound[]): void {
    const judged = parallelism(
      rounds.map(({ all, alone }) => ({
        lastMs: this.#lastAcceptanceMs(all),
        slowestAloneMs: Math.max(...alone.map((each) => this.#lastAcceptanceMs(each)))
      })),
      this.world.backend
    )
    Object.assign(this.figures, judged.figures)
    this.expect('what belongs to all is asked of all in parallel', judged.ok)
  }

  /** From the wish to the last acceptance of it. */
  #lastAcceptanceMs(asked: Asked): number {
    return Math.max(...this.#acceptedBy(asked).map(({ atMs }) => atMs)) - asked.atMs
  }

  /** A check that has to come out alike however the uplinks are drawn. */
  expect(name: string, ok: boolean): void {
    this.outcome.push(`${name}: ${ok}`)
    this.check(name, ok)
  }

  /** RFC 9284 §5.1: a name is asked of the resolver of its own provider, over the link and from the address that lead there. */
  expectOwnResolversAsked(): void {
    const questions = this.world.questions()
    const links = linksOf(this.topology)
    const isOwn = questions.every(({ provider, name, source }) => {
      const isItsServer =
        name in (this.topology.providers.find((each) => each.name === provider)?.servers ?? {})
      const own = links.filter((link) => link.provider === provider).map(({ cpeAddress }) => cpeAddress)
      return isItsServer && (source === undefined || own.includes(source))
    })
    const asked = new Set(questions.map(({ provider }) => provider))
    const all = this.topology.providers.filter(({ resolver }) => resolver !== undefined).length
    this.expect(
      "each server's name was asked of its own provider, over its link",
      isOwn && asked.size === all
    )
  }

  async #state({ client, id }: Asked): Promise<string> {
    return (await this.world.standing(client, id)).state
  }

  /** What servers heard of the targets since they were asked for. */
  #about({ targets, atMs }: Asked): readonly HeardRequest[] {
    return this.world
      .heard()
      .filter((each) => each.method === 'PUT' && each.atMs >= atMs)
      .filter((each) => each.targets.some((text) => targets.some((target) => isWithin(text, target))))
  }

  #acceptedBy(asked: Asked): readonly HeardRequest[] {
    return this.#about(asked).filter(({ outcome }) => outcome === 'created')
  }

  #askedServers(asked: Asked): readonly string[] {
    return [...new Set(this.#about(asked).map(({ provider }) => provider))].toSorted()
  }

  #isAskedFor(asked: Asked, server: string, parts: readonly string[]): boolean {
    const own = this.#acceptedBy(asked).filter(({ provider }) => provider === server)
    return own.some(({ targets }) => targets.toSorted().join() === parts.toSorted().join())
  }
}
