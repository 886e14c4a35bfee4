//
//     customer                       provider
//   +----------+   access link    +------------+
//   |  DOTS    |  <== flood ===== |            | <== flood == the internet
//   |  client  |  90 % lost       |  filter    |
//   |          | ---------------> |            |
//   +----------+  0 or 50 % lost  |  DOTS      |
//    10.a.b.0/24                  |  server    |
//    (.7 is attacked)             +------------+
//
// A session stands before the flood, and heartbeats go both ways. Then the link is full: 90 % of what goes to the client
// is lost, and in some acts half of what it sends. It asks for protection once every 3 seconds (RFC 9132 §4.4). Two clocks
// run: until the server has accepted, and until the client knows. In other acts the client has no session yet and must get
// one through the flood.

import { openFloodedLink } from '../backends/flooded-link-world.ts'
import type { Backend, Scenario, ScenarioOptions, ScenarioResult } from '../scenario.ts'
import {
  type Aim,
  aimChecks,
  figuresOf,
  otherChecks,
  printCurves,
  sessionEnds
} from './flooded-link-report.ts'
import type { Act } from './flooded-link-world.ts'
import { interruption } from './interruption.ts'

export const scenario: Scenario = {
  name: 'flooded-link',
  summary:
    'requests pass a full link, and answers find their way back: two clocks, and the pacing of RFC 9132 §4.4',
  backends: ['netns', 'sim'],
  run
}

/** Runs of an act, unless `--runs` says otherwise. */
const RUNS: Readonly<Record<string, number>> = { sim: 400, netns: 80 }

/** Where time is real, a whole run may last a minute, its beginning and end included. */
const LONGEST_REAL_SECONDS = 35

/** A handshake is work, and all are done at once there: acts without an aim are played less often. */
const COMPARED_WHERE_TIME_IS_REAL = 0.3

/** Of the aims for new sessions. */
const LONGEST_AIM_SECONDS = 30

const AIMS: readonly Aim[] = [
  { act: 'half', clock: 'accepted', withinSeconds: 10, part: 0.9 },
  { act: 'half', clock: 'accepted', withinSeconds: 21, part: 0.99 },
  { act: 'closed loop', clock: 'known', withinSeconds: 7, part: 0.99 },
  { act: 'resumed', clock: 'accepted', withinSeconds: 15, part: 0.93 },
  { act: 'certificate', clock: 'accepted', withinSeconds: 30, part: 0.93 },
  // As far as time goes where it is real.
  { act: 'open loop', clock: 'known', withinSeconds: 35, part: 0.9 },
  { act: 'open loop', clock: 'known', withinSeconds: 60, part: 0.97 }
]

function actsFor(backend: Backend, runs: number): readonly Act[] {
  const real = backend === 'sim' ? Infinity : LONGEST_REAL_SECONDS
  const act = (name: string, flood: Act['flood'], watchSeconds: number): Act => ({
    name,
    flood,
    runs,
    watchSeconds: Math.min(watchSeconds, real)
  })
  const acts = [
    act('half', { lossTowardsClient: 0.9, lossTowardsServer: 0.5 }, 60),
    act('closed loop', { lossTowardsClient: 0.9, lossTowardsServer: 0, endsSecondsAfterAcceptance: 1 }, 10),
    act('open loop', { lossTowardsClient: 0.9, lossTowardsServer: 0 }, 60)
  ]
  if (backend !== 'sim')
    return [
      ...acts,
      ...newSessionActs(runs, Math.ceil(runs * COMPARED_WHERE_TIME_IS_REAL), LONGEST_AIM_SECONDS)
    ]
  return [...acts, ...newSessionActs(runs, runs, 60), longSilence(Math.ceil(runs / 60))]
}

/**
 * The client starts in the middle of a flood, with 50 % lost in both directions: a new session over four ways, UDP and TCP
 * over IPv6 and IPv4. Resumption aims at the timer of RFC 9147 §5.8.2 (400 ms, a deviation); the others are for comparison.
 */
function newSessionActs(runs: number, compared: number, watchSeconds: number): readonly Act[] {
  const act = (name: string, newSession: NonNullable<Act['newSession']>): Act => ({
    name,
    flood: { lossTowardsClient: 0.5, lossTowardsServer: 0.5 },
    newSession,
    runs: AIMS.some((aim) => aim.act === name) ? runs : compared,
    watchSeconds
  })
  const timers = { usual: 1000, lowered: 400 }
  const [all, one] = ['all', 'udp-ipv4'] as const
  return [
    act('resumed', { isResumed: true, candidates: all, retransmissionMilliseconds: timers.lowered }),
    act('resumed slowly', { isResumed: true, candidates: all, retransmissionMilliseconds: timers.usual }),
    act('resumed one way', { isResumed: true, candidates: one, retransmissionMilliseconds: timers.usual }),
    act('certificate', { isResumed: false, candidates: all, retransmissionMilliseconds: timers.usual }),
    act('certificate one way', {
      isResumed: false,
      candidates: one,
      retransmissionMilliseconds: timers.usual
    })
  ]
}

/** Three quarters of an hour without a word from the server: heartbeats are given up long before (RFC 9132 §4.7). */
function longSilence(runs: number): Act {
  const flood = { lossTowardsClient: 1, lossTowardsServer: 0.5 }
  return { name: 'long silence', flood, runs, watchSeconds: 2700 }
}

async function run({ backend, runs, seed, stopped, print }: ScenarioOptions): Promise<ScenarioResult> {
  const world = await openFloodedLink(backend, { seed: seed ?? 1, print })
  try {
    const acts = actsFor(backend, runs ?? RUNS[backend] ?? 100)
    const outcomes = await Promise.race([world.play(acts), interruption(stopped)])
    const byAct = new Map(acts.map((act, index) => [act.name, outcomes[index] ?? []] as const))
    printCurves(acts, byAct, print)
    const result = {
      scenario: scenario.name,
      backend,
      checks: [...aimChecks(AIMS, acts, byAct, print), ...otherChecks(world, byAct, print)],
      wrongServerRequests: world.wrongServerRequests(),
      figures: figuresOf(acts, byAct, world),
      notes: sessionEnds(byAct)
    }
    for (const { name, ok } of result.checks) print(`${ok ? 'ok  ' : 'FAIL'} ${name}`)
    return result
  } finally {
    await world.destroy()
  }
}
