import { Instant, Seconds, after } from '@breakwater/core'
import { expect, it } from 'vitest'
import { attemptRule } from '../../../src/client/connection/happy-eyeballs.ts'
import { reconnectionRule } from '../../../src/client/connection/reconnection.ts'
import type { ConnectionId } from '../../../src/client/connection/session-state.ts'
import { StandBy } from '../../../src/client/paths/stand-by.ts'
import { fourPaths, shortName } from '../keeper-bench.ts'

it('a second session that cannot be had is tried again an interval after its last attempt, not after that has failed', () => {
  let next = 1
  const standBy = new StandBy({
    warmStandby: 'apart',
    attempts: attemptRule(),
    reconnection: reconnectionRule(),
    order: (candidates) => candidates,
    newConnection: () => next++ as ConnectionId,
    begin: () => {
      throw new Error('nothing is established here')
    }
  })
  const { paths } = fourPaths()
  let now = Instant(1_000_000)
  const pass = (milliseconds: number): string[] => {
    const end = Instant(now + milliseconds)
    const started: string[] = []
    for (let due = standBy.nextTimeout(); due !== undefined && due <= end; due = standBy.nextTimeout()) {
      now = due
      standBy.handleTimeout(now)
      for (let output = standBy.poll(); output !== undefined; output = standBy.poll())
        if (output.kind === 'connect') started.push(`${shortName(output.path)} ${now / 1000}`)
    }
    now = end
    return started
  }
  const fail = (): void => {
    for (const { connection } of standBy.running)
      standBy.handle({ kind: 'failed', connection, reason: 'timeout' }, now)
  }
  standBy.handle({ kind: 'situation', first: paths[0], paths, mayRun: true, earliest: now }, now)
  expect(pass(30_000)).toEqual(['udp4 1000', 'tcp4 1000.25'])
  fail()
  // RFC 9132 §4.7: 60 s from the last attempt, then twice as long.
  expect(standBy.nextTimeout()).toBe(after(Instant(1_000_250), Seconds(60)))
  expect(pass(60_000)).toEqual(['udp4 1060.25', 'tcp4 1060.5'])
  fail()
  expect(standBy.nextTimeout()).toBe(after(Instant(1_060_500), Seconds(120)))
})
