import { isCompatible, percent, proportion, proportionText, share } from '../output/proportion.ts'
import type { Check } from '../scenario.ts'
import type { Act, FloodedLinkWorld, RunOutcome } from './flooded-link-world.ts'

/** What is promised: so large a part of the runs of an act, within so many seconds. */
export interface Aim {
  readonly act: string
  readonly clock: 'accepted' | 'known'
  readonly withinSeconds: number
  readonly part: number
}

/** A request that leaves at the last moment counts, with its way. */
const WAY_SECONDS = 0.05

/** Where the curves are read. */
const CURVE_SECONDS: readonly number[] = [1, 4, 7, 10, 15, 21, 30, 40, 50, 60]

/** Outcomes by the name of their act. */
export type Outcomes = ReadonlyMap<string, readonly RunOutcome[]>

function within(clock: Aim['clock'], seconds: number): (run: RunOutcome) => boolean {
  return ({ acceptedAfterSeconds, knownAfterSeconds }) => {
    const after = clock === 'accepted' ? acceptedAfterSeconds : knownAfterSeconds
    return after !== undefined && after <= seconds + WAY_SECONDS
  }
}

/** An aim that lies beyond what is watched here is left to the other backend. */
export function aimChecks(
  aims: readonly Aim[],
  acts: readonly Act[],
  outcomes: Outcomes,
  print: (line: string) => void
): readonly Check[] {
  return aims.flatMap((aim) => {
    const name = `${aim.act}: ${aim.clock} within ${aim.withinSeconds} s in ${percent(aim.part)} of the runs`
    const act = acts.find((each) => each.name === aim.act)
    if (act === undefined || act.watchSeconds < aim.withinSeconds) {
      const why = act === undefined ? 'is not played' : `ends after ${act.watchSeconds} s`
      print(`${name}: left to the other backend; here the act ${why}`)
      return []
    }
    const seen = proportion(outcomes.get(aim.act) ?? [], within(aim.clock, aim.withinSeconds))
    print(`${name}: ${proportionText(seen)}`)
    return [{ name: `${name} (or by chance less, 1 in 10,000)`, ok: isCompatible(seen, aim.part) }]
  })
}

export function otherChecks(
  world: FloodedLinkWorld,
  outcomes: Outcomes,
  print: (line: string) => void
): readonly Check[] {
  const runs = [...outcomes.values()].flat()
  const { judged, violations } = world.pacing()
  for (const violation of violations) print(`pacing: ${violation}`)
  const ends = sessionEnds(outcomes)
  for (const end of ends) print(end)
  return [
    { name: 'no side ever lets go of the session', ok: ends.length === 0 },
    { name: 'the pacing auditor saw the traffic', ok: judged > runs.length * 4 },
    { name: 'the pacing of RFC 9132 §4.4 and probing-rate are kept', ok: violations.length === 0 },
    { name: 'no request for targets that are not its own', ok: world.wrongServerRequests() === 0 }
  ]
}

/** Every session that did not last, with the reason. */
export function sessionEnds(outcomes: Outcomes): readonly string[] {
  return [...outcomes].flatMap(([act, runs]) =>
    runs.flatMap((run, index) =>
      run.sessionEnds.map(
        ({ side, reason, afterSeconds }) =>
          `${act}, run ${index}: the ${side} let go of the session ${afterSeconds.toFixed(3)} s after the flood began: ${reason}`
      )
    )
  )
}

/** Runs that need a new session end when the server accepts. */
function clocksOf({ newSession }: Act): readonly Aim['clock'][] {
  return newSession === undefined ? ['accepted', 'known'] : ['accepted']
}

function curve(act: Act): readonly number[] {
  return CURVE_SECONDS.filter((seconds) => seconds <= act.watchSeconds)
}

export function printCurves(acts: readonly Act[], outcomes: Outcomes, print: (line: string) => void): void {
  print(row('within seconds', CURVE_SECONDS.map(String)))
  for (const act of acts)
    for (const clock of clocksOf(act)) {
      const runs = outcomes.get(act.name) ?? []
      const parts = curve(act).map((seconds) => percent(share(proportion(runs, within(clock, seconds)))))
      print(row(`${act.name}: ${clock}`, parts))
    }
}

export function figuresOf(
  acts: readonly Act[],
  outcomes: Outcomes,
  world: FloodedLinkWorld
): Record<string, number | null> {
  const figures: Record<string, number | null> = { datagramsJudged: world.pacing().judged }
  for (const act of acts) {
    const runs = outcomes.get(act.name) ?? []
    const name = camelCase(act.name)
    figures[`${name}Runs`] = runs.length
    for (const clock of clocksOf(act))
      for (const seconds of curve(act))
        figures[`${name}${clock === 'accepted' ? 'Accepted' : 'Known'}Within${seconds}s`] = share(
          proportion(runs, within(clock, seconds))
        )
  }
  return figures
}

function camelCase(words: string): string {
  return words.replaceAll(/ (\w)/g, (_, letter: string) => letter.toUpperCase())
}

function row(name: string, cells: readonly string[]): string {
  return name.padEnd(24) + cells.map((cell) => cell.padStart(8)).join('')
}
