import { Milliseconds, Minutes, WallTime } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import type { AttemptOutcome } from '../../../src/client/connection/attempt-outcome.ts'
import { OutcomeMemory } from '../../../src/client/connection/outcome-memory.ts'
import type { LegalPath } from '../../../src/multihoming/legal-path.ts'
import { KeeperBench, fourPaths, shortName } from '../keeper-bench.ts'

const MINUTE = 60_000
const { paths } = fourPaths()

function outcomes(
  of: Readonly<Record<string, AttemptOutcome>>
): { readonly path: LegalPath; readonly outcome: AttemptOutcome }[] {
  return paths.flatMap((path) => {
    const outcome = of[shortName(path)]
    return outcome === undefined ? [] : [{ path, outcome }]
  })
}

/** `tcp4 udp6 (udp4)`: in brackets what is held back. */
function turns(memory: OutcomeMemory, at = 0, over = paths): string {
  return memory
    .candidates(over, WallTime(at))
    .map(({ path, isHeldBack }) => (isHeldBack ? `(${shortName(path)})` : shortName(path)))
    .join(' ')
}

const BLOCKED: Readonly<Record<string, AttemptOutcome>> = {
  udp6: { kind: 'outrun', waited: Milliseconds(540) },
  udp4: { kind: 'failed', reason: 'timeout' },
  tcp6: { kind: 'won', took: Milliseconds(40) },
  tcp4: { kind: 'untried' }
}

describe('what a client remembers of a run', () => {
  it('puts the winner first and what did badly last and late', () => {
    const memory = new OutcomeMemory(Minutes(10))
    expect(turns(memory)).toBe('udp6 udp4 tcp6 tcp4')
    memory.learn(paths, outcomes(BLOCKED), WallTime(0))
    expect(turns(memory)).toBe('tcp6 tcp4 (udp6) (udp4)')
  })

  it('does not hold against a path that it had less time than the winner, or sent nothing', () => {
    const memory = new OutcomeMemory(Minutes(10))
    const told = outcomes({
      ...BLOCKED,
      udp6: { kind: 'won', took: Milliseconds(300) },
      udp4: { kind: 'outrun', waited: Milliseconds(50) },
      tcp6: { kind: 'failed', reason: 'local' }
    })
    memory.learn(paths, told, WallTime(0))
    expect(turns(memory)).toBe('udp6 udp4 tcp6 tcp4')
  })

  it('is flushed after ten minutes, and when the calendar goes back', () => {
    const memory = new OutcomeMemory(Minutes(10))
    memory.learn(paths, outcomes(BLOCKED), WallTime(0))
    expect(turns(memory, 10 * MINUTE)).toBe('tcp6 tcp4 (udp6) (udp4)')
    expect(turns(memory, 10 * MINUTE + 1)).toBe('udp6 udp4 tcp6 tcp4')
    memory.learn(paths, outcomes(BLOCKED), WallTime(MINUTE))
    expect(turns(memory, 0)).toBe('udp6 udp4 tcp6 tcp4')
  })

  it('is flushed outcome by outcome: a path that took no part in later runs is forgotten in time', () => {
    const memory = new OutcomeMemory(Minutes(10))
    memory.learn(paths, outcomes(BLOCKED), WallTime(0))
    memory.learn(paths, outcomes({ tcp6: BLOCKED['tcp6']! }), WallTime(8 * MINUTE))
    expect(turns(memory, 8 * MINUTE)).toBe('tcp6 tcp4 (udp6) (udp4)')
    expect(turns(memory, 11 * MINUTE)).toBe('tcp6 udp6 udp4 tcp4')
  })

  it('is not used in another network (RFC 8305 §4)', () => {
    const memory = new OutcomeMemory(Minutes(10))
    memory.learn(paths, outcomes(BLOCKED), WallTime(0))
    const elsewhere = fourPaths(['2001:db8:b::1', '198.51.100.1']).paths
    expect(turns(memory, 0, elsewhere)).toBe('udp6 udp4 tcp6 tcp4')
  })

  it('keeps what it knew of paths that took no part, but only one winner', () => {
    const memory = new OutcomeMemory(Minutes(10))
    memory.learn(paths, outcomes(BLOCKED), WallTime(0))
    const probe = outcomes({
      udp6: { kind: 'failed', reason: 'timeout' },
      udp4: { kind: 'won', took: Milliseconds(60) }
    })
    const { outcomes: known } = memory.learn(paths, probe, WallTime(MINUTE))
    expect(known.filter(({ outcome }) => outcome.kind === 'won')).toHaveLength(1)
    expect(turns(memory, MINUTE)).toBe('udp4 tcp6 tcp4 (udp6)')
  })

  it('lets the families take turns where there are several addresses of a kind (RFC 8305 §4)', () => {
    const memory = new OutcomeMemory(Minutes(10))
    const many = fourPaths(['2001:db8:a::1', '2001:db8:a::2', '198.51.100.1']).paths
    expect(turns(memory, 0, many)).toBe('udp6 udp4 udp6 tcp6 tcp4 tcp6')
  })
})

describe('a client that has to come back soon', () => {
  it('goes straight for what worked, and thrashes the network with nothing else', () => {
    const bench = new KeeperBench().start().pass(550).establish('tcp6').pass(70_000)
    bench.take()
    bench.close('tcp6').pass(1900)
    expect(bench.take().slice(1)).toEqual(['70550 connect tcp6', '70800 connect tcp4'])
    bench.establish('tcp6')
    expect(bench.take()).toEqual(['72450 close tcp4', '72450 up'])
  })

  it('remembers over a restart what it was given back', () => {
    const first = new KeeperBench().start().pass(550).establish('tcp6')
    const [known] = first.remembered
    const second = new KeeperBench().feed({ kind: 'restore', outcomes: known! })
    second.step(MINUTE)
    second.start().pass(1000)
    expect(second.take()).toEqual(['0 connect tcp6', '250 connect tcp4'])
  })

  it('starts from nothing when a run failed as a whole', () => {
    const bench = new KeeperBench().start().pass(550).establish('tcp6').pass(70_000)
    bench.close('tcp6').pass(10_000)
    for (const name of ['tcp6', 'tcp4', 'udp6', 'udp4']) bench.fail(name)
    expect(bench.remembered.at(-1)).toBeUndefined()
    bench.take()
    bench.pass(60_000)
    expect(bench.take()[0]).toMatch(/connect udp6$/)
  })
})
