import { Instant, integerBelow } from '@breakwater/core'
import type { Entropy, SessionFailure } from '@breakwater/core'
import { seededEntropy } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { HappyEyeballs, attemptRule } from '../../src/client/connection/happy-eyeballs.ts'
import type { ConnectionId } from '../../src/client/connection/session-state.ts'

/** What the world does with an attempt: so many milliseconds after its start it is established, or fails. */
interface Fate {
  readonly after: number
  readonly end: 'established' | SessionFailure
  readonly isHeldBack: boolean
}

interface Story {
  readonly fates: readonly Fate[]
  readonly isUnderAttack: boolean
}

function storyOf(chance: Entropy): Story {
  const ends = ['established', 'timeout', 'timeout', 'local', 'peer-alert'] as const
  const fates = Array.from({ length: integerBelow(chance, 6) }, (): Fate => {
    const end = ends[integerBelow(chance, ends.length)]!
    const took = integerBelow(chance, 2) === 0 ? integerBelow(chance, 3000) : integerBelow(chance, 60)
    return { after: end === 'local' ? 0 : took + 1, end, isHeldBack: integerBelow(chance, 4) === 0 }
  })
  return { fates, isUnderAttack: integerBelow(chance, 2) === 0 }
}

/** The rules once more, millisecond by millisecond, without any of the machine's book-keeping. */
function expectedOf({ fates, isUnderAttack }: Story): string[] {
  const log: string[] = []
  const delay = isUnderAttack ? 100 : 250
  const starts: number[] = []
  for (let now = 0; now < 20_000; now++) {
    const isOpen = (index: number): boolean => now < starts[index]! + fates[index]!.after
    for (let index = 0; index < starts.length; index++)
      if (endsAt(index) === now && fates[index]!.end === 'established') {
        const left = [...starts.keys()].filter(
          (other) => other !== index && (isOpen(other) || (other > index && endsAt(other) === now))
        )
        const goesOn = isUnderAttack && left.length + fates.length - starts.length > 0
        if (!goesOn) return [...log, ...left.map((other) => `${now} close ${other}`), `${now} won ${index}`]
        log.push(`${now} won ${index}`)
      }
    for (;;) {
      const next = starts.length
      const open = starts.filter((_, index) => isOpen(index)).length
      if (next === fates.length) {
        if (open === 0) return [...log, `${now} failed`]
        break
      }
      const sent = starts.filter((_, index) => fates[index]!.end !== 'local')
      const wait = open === 0 ? 100 : fates[next]!.isHeldBack ? 2000 : delay
      if (sent.length > 0 && now < sent.at(-1)! + wait) break
      starts.push(now)
      log.push(`${now} connect ${next}`)
    }
  }
  return log

  function endsAt(index: number): number {
    return starts[index]! + fates[index]!.after
  }
}

function actualOf({ fates, isUnderAttack }: Story): string[] {
  const log: string[] = []
  const ends: { readonly at: number; readonly index: number }[] = []
  const run = new HappyEyeballs({
    candidates: fates.map(({ isHeldBack }, path) => ({ path, isHeldBack })),
    rule: attemptRule(),
    isUnderAttack,
    newConnection: newConnection()
  })
  let now = Instant(0)
  run.handle({ kind: 'start' }, now)
  drain()
  for (;;) {
    const ending = ends.toSorted((x, y) => x.at - y.at || x.index - y.index)[0]
    const due = run.nextTimeout()
    if (ending !== undefined && (due === undefined || ending.at <= due)) {
      ends.splice(ends.indexOf(ending), 1)
      now = Instant(ending.at)
      const { end } = fates[ending.index]!
      const connection = ending.index as ConnectionId
      if (end === 'established') run.handle({ kind: 'established', connection }, now)
      else run.handle({ kind: 'failed', connection, reason: end }, now)
    } else if (due !== undefined) {
      if (due > now) now = due
      run.handleTimeout(now)
    } else return log
    drain()
    if (run.running.length === 0 && run.nextTimeout() === undefined && log.at(-1)?.match(/won|failed/))
      return log
  }

  function drain(): void {
    for (let output = run.poll(); output !== undefined; output = run.poll())
      switch (output.kind) {
        case 'connect':
          log.push(`${now} connect ${output.path}`)
          ends.push({ at: now + fates[output.path]!.after, index: output.path })
          break
        case 'close':
          log.push(`${now} close ${output.connection}`)
          break
        case 'won':
          log.push(`${now} won ${output.attempt.path}`)
          break
        case 'failed':
          log.push(`${now} failed`)
      }
  }
}

/** Connections count as the candidates do, so that the model need not know them. */
function newConnection(): () => ConnectionId {
  let next = 0
  return () => next++ as ConnectionId
}

describe('a Happy Eyeballs run', () => {
  it.each([1, 2, 3, 4])('does what a simple model does, in 500 random stories (seed %i)', (seed) => {
    const chance = seededEntropy(seed)
    for (let round = 0; round < 500; round++) {
      const story = storyOf(chance)
      expect(actualOf(story), JSON.stringify(story)).toEqual(expectedOf(story))
    }
  })
})
