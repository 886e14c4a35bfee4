import { Milliseconds, Seconds, after, inSeconds } from '@breakwater/core'
import type { Duration } from '@breakwater/core'
import type { TraceEntry } from '@breakwater/testing'
import {
  DEFAULT_RECONNECTION,
  LEAST_UDP_PROBE_SECONDS,
  MAXIMUM_ACTIVE_BUT_TERMINATING
} from '@breakwater/dots'
import type { Canary, PlantedBug } from './canary.ts'
import type { Family } from './family.ts'
import { disagreements } from './invariants/agreement.ts'
import { strayedSessions } from './invariants/back-home.ts'
import { sessionsOverTcp } from './invariants/back-to-udp.ts'
import { askedInParallel } from './invariants/asked-in-parallel.ts'
import { durableAnswer } from './invariants/durable-answer.ts'
import { entitledServer } from './invariants/entitled-server.ts'
import { ingressDrop } from './invariants/ingress-drop.ts'
import type { Invariant, MakeInvariant, Report } from './invariants/invariant.ts'
import { neededTarget } from './invariants/needed-target.ts'
import { neverSilent } from './invariants/never-silent.ts'
import { noFault } from './invariants/no-fault.ts'
import { checkIdleServers, checkNothingLeft, openExchanges } from './invariants/nothing-left.ts'
import { ownPath } from './invariants/own-path.ts'
import { pacing } from './invariants/pacing.ts'
import { standingRequest } from './invariants/standing-request.ts'
import { protectionAccounted } from './invariants/protection-accounted.ts'
import { transcript } from './invariants/transcript.ts'
import { timelyEnd } from './invariants/timely-end.ts'
import type { Layout } from './layout.ts'
import type { Course, FaultKind } from './scenario.ts'
import { possibleParameters } from './world/session-parameters.ts'
import { LONGEST_REDIRECT_SECONDS } from './world/weather/provider-weather.ts'
import type { Traffic } from './world/traffic.ts'
import { World } from './world/world.ts'

const INVARIANTS: readonly MakeInvariant[] = [
  entitledServer,
  ownPath,
  ingressDrop,
  transcript,
  neededTarget,
  pacing,
  durableAnswer,
  timelyEnd,
  protectionAccounted,
  neverSilent,
  askedInParallel,
  standingRequest,
  noFault
]

/** How often everything is looked at. */
const SAMPLING: Duration = Seconds(5)

/** How long an agreement must last. */
const CALM: Duration = Seconds(120)

/** EXCHANGE_LIFETIME of RFC 7252 §4.8.2. */
const EXCHANGE_LIFETIME: Duration = Seconds(247)

/** A refresh or a report may be under way at any moment. */
const MOMENT: Duration = Seconds(30)

export interface Violation {
  readonly seed: number
  readonly invariant: string
  readonly text: string
  /** Virtual seconds from the start. */
  readonly at: number
}

export interface WorldResult {
  readonly violation: Violation | undefined
  readonly virtualSeconds: number
  /** Things that happened; see `World.events`. */
  readonly events: number
  /** Of all that happened to datagrams, in order: equal for equal runs. */
  readonly digest: number
  readonly faults: ReadonlyMap<FaultKind, number>
  /** From the end of the storm to agreement; undefined when it did not come to that. */
  readonly agreementSeconds: number | undefined
}

/** Runs one world until its end or its first violation: first safety, with faults on, then liveness without. */
export async function runWorld<Scenario extends Course>(
  family: Family<Scenario>,
  scenario: Scenario,
  canary?: Canary<Scenario>
): Promise<WorldResult> {
  const changed = canary?.changeScenario?.(scenario) ?? scenario
  const run = new Run(changed, family.layoutOf(changed), canary)
  await run.go()
  const { world, violation, agreementSeconds } = run
  return {
    violation,
    virtualSeconds: world.clock.now() / 1000,
    events: world.events,
    digest: world.digest,
    faults: world.weather.struck,
    agreementSeconds
  }
}

class Run {
  readonly world: World
  violation: Violation | undefined
  agreementSeconds: number | undefined
  readonly #invariants: readonly Invariant[]

  constructor(scenario: Course, layout: Layout, canary: PlantedBug | undefined) {
    const tell =
      <Seen>(look: (invariant: Invariant, seen: Seen, report: Report) => void) =>
      (seen: Seen): void => {
        for (const invariant of this.#invariants)
          look(invariant, seen, (text) => this.#report(invariant.name, text))
      }
    this.world = new World(scenario, layout, canary, {
      traffic: tell((invariant, traffic: Traffic, report) => invariant.traffic?.(traffic, report)),
      trace: tell((invariant, entry: TraceEntry, report) => invariant.trace?.(entry, report)),
      wish: (site, request) => {
        for (const invariant of this.#invariants) invariant.wish?.(site, request)
      }
    })
    this.#invariants = INVARIANTS.map((make) => make(this.world))
  }

  async go(): Promise<void> {
    try {
      await this.world.start()
      await this.#storm()
      if (this.violation === undefined) await this.#healing()
      if (this.violation === undefined) await this.#calm()
      if (this.violation === undefined) await this.#ending()
    } catch (error) {
      this.#report('no-fault', error instanceof Error ? (error.stack ?? error.message) : String(error))
    }
  }

  /** Safety. */
  async #storm(): Promise<void> {
    const { scenario, clock, customers, weather } = this.world
    for (const action of scenario.actions)
      clock.schedule(after(clock.now(), Seconds(action.at)), () => customers[action.site]?.perform(action))
    weather.expect(scenario.faults)
    await this.#watch(Seconds(scenario.stormSeconds + 1))
  }

  /** Liveness: all faults are over, and within a bound all agree. */
  async #healing(): Promise<void> {
    const start = this.world.clock.now()
    const bound = agreementBound(this.world.scenario)
    await this.#watch(bound, () => disagreements(this.world).length === 0)
    if (this.violation !== undefined) return
    const left = disagreements(this.world)
    if (left.length > 0)
      this.#report('agreement', `${inSeconds(bound)} s after all was well: ${left.join('; ')}`)
    this.agreementSeconds = (this.world.clock.now() - start) / 1000
  }

  /** They go on agreeing. */
  async #calm(): Promise<void> {
    await this.#watch(CALM)
    await this.#watch(MOMENT, () => disagreements(this.world).length === 0)
    const left = disagreements(this.world)
    if (left.length > 0) this.#report('agreement', `it did not last: ${left.join('; ')}`)
  }

  /** Everything ends, and nothing stays behind. */
  async #ending(): Promise<void> {
    const { world } = this
    world.releaseAll()
    const isReleased = (): boolean =>
      // What is preconfigured stands as long as its client runs.
      world.customers.every(
        (customer) => customer.status()?.requests.some(({ trigger }) => trigger === 'immediate') !== true
      )
    await this.#watch(Seconds(120), isReleased)
    if (!isReleased()) this.#report('nothing-left', 'a client still has requests, with nothing to protect')
    await this.#watch(MIGRATION, () => sessionsOverTcp(world).length === 0)
    for (const text of sessionsOverTcp(world)) this.#report('back-to-udp', text)
    await this.#watch(HOMECOMING, () => strayedSessions(world).length === 0)
    for (const text of strayedSessions(world)) this.#report('back-home', text)
    // RFC 7252 §4.8.2: whatever is under way is given up by then; servers tell of what they let go of until it is gone.
    await this.#watch(
      Milliseconds(EXCHANGE_LIFETIME + MAXIMUM_ACTIVE_BUT_TERMINATING),
      () => openExchanges(world).length === 0
    )
    for (const text of openExchanges(world)) this.#report('nothing-left', text)
    await world.stopCustomers()
    await world.clock.advance(Seconds(longestRemaining(world) + 400))
    checkIdleServers(world, (text) => this.#report('nothing-left', text))
    await world.stopProviders()
    await checkNothingLeft(
      world,
      () => world.network.openSockets,
      (text) => this.#report('nothing-left', text)
    )
  }

  /** Lets time pass until `isEnough`, and looks at everything now and again. */
  async #watch(duration: Duration, isEnough: () => boolean = () => false): Promise<void> {
    const { clock } = this.world
    const end = after(clock.now(), duration)
    while (clock.now() < end && this.violation === undefined && !isEnough()) {
      const next = after(clock.now(), SAMPLING)
      await clock.advanceTo(next < end ? next : end)
      for (const invariant of this.#invariants)
        invariant.sample?.((text) => this.#report(invariant.name, text))
    }
  }

  #report(invariant: string, text: string): void {
    const { scenario, clock } = this.world
    this.violation ??= { seed: scenario.seed, invariant, text, at: Math.round(clock.now()) / 1000 }
  }
}

/** RFC 9132 §4.7: a client that could not establish a session tries again this much later at the latest. */
const RETRY: Duration = Seconds(DEFAULT_RECONNECTION.retrySeconds)

/** A handshake that does not succeed is given up after this. */
const HANDSHAKE: Duration = Seconds(60)

/** RFC 9132 §4.3: where UDP works, a session over TCP finds that out, and one handshake brings it there. */
const MIGRATION: Duration = Milliseconds(Seconds(LEAST_UDP_PROBE_SECONDS) + HANDSHAKE)

/** RFC 9132 §4.6: what was sent elsewhere comes back after its time to live, by one handshake. */
const HOMECOMING: Duration = Milliseconds(Seconds(LONGEST_REDIRECT_SECONDS) + HANDSHAKE)

/** How long it may take until all agree: two heartbeat intervals or the retry interval, and one handshake. */
export function agreementBound(scenario: Course): Duration {
  const intervals = possibleParameters(scenario).map((each) => each.heartbeatIntervalSeconds)
  return Milliseconds(Math.max(Seconds(2 * Math.max(...intervals)), RETRY) + HANDSHAKE)
}

function longestRemaining({ providers }: World): number {
  const left = providers.flatMap((provider) =>
    provider.mitigations().map(({ remainingLifetimeSeconds }) => remainingLifetimeSeconds)
  )
  return Math.max(0, ...left)
}
