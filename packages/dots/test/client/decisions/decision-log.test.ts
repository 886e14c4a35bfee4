import { Instant } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import {
  DecisionLog,
  MOST_DECISIONS,
  MOST_DECISIONS_OF_ONE
} from '../../../src/client/decisions/decision-log.ts'
import type { DecisionSubject } from '../../../src/client/decisions/decision-log.ts'

const server: DecisionSubject = { kind: 'server', name: 'isp-a' }
const path = (source: string, remote: string): DecisionSubject => {
  return { kind: 'path', name: `udp wan-a ${source} to ${remote}` }
}

function note(log: DecisionLog, subject: DecisionSubject, decision: string, at = 0): void {
  log.note(subject, decision, () => ({ because: `because of ${decision}`, inputs: {} }), Instant(at))
}

describe('the log of decisions', () => {
  it('tells of one subject, the oldest first, with reason and inputs', () => {
    const log = new DecisionLog()
    note(log, server, 'first', 1)
    note(log, { kind: 'server', name: 'isp-b' }, 'another')
    log.note(server, 'second', () => ({ because: 'so', inputs: { path: 'udp' } }), Instant(2))
    expect(log.about('isp-a').map(({ decision }) => decision)).toEqual(['first', 'second'])
    expect(log.about('isp-a')[1]).toMatchObject({ at: 2, because: 'so', inputs: { path: 'udp' } })
    expect(log.about('isp-c')).toEqual([])
  })

  it('takes a word of a path for all paths that have it: an interface, an address without its port', () => {
    const log = new DecisionLog()
    note(log, path('198.51.100.1', '192.0.2.1:4646'), 'a')
    note(log, path('2001:db8::1', '[2001:db8::2]:4646'), 'b')
    const about = (word: string): string[] => log.about(word).map(({ decision }) => decision)
    expect(about('wan-a')).toEqual(['a', 'b'])
    expect(about('192.0.2.1')).toEqual(['a'])
    expect(about('2001:db8::2')).toEqual(['b'])
    expect(about('192.0.2')).toEqual([])
    expect(about('udp wan-a 198.51.100.1 to 192.0.2.1:4646')).toEqual(['a'])
  })

  it('keeps the last of each subject, and no more', () => {
    const log = new DecisionLog()
    for (let index = 0; index < 1000; index++) note(log, server, `${index}`, index)
    expect(log.about('isp-a')).toHaveLength(MOST_DECISIONS_OF_ONE)
    expect(log.about('isp-a').at(-1)?.decision).toBe('999')
  })

  it('forgets what nothing was decided about for longest, whoever asks for however many', () => {
    const log = new DecisionLog()
    note(log, server, 'early')
    for (let index = 0; index < 3 * MOST_DECISIONS; index++)
      note(log, { kind: 'protection', name: `p-${index}` }, 'asked', index)
    expect(log.about('isp-a')).toEqual([])
    expect(log.subjects.length).toBeLessThanOrEqual(MOST_DECISIONS)
    expect(log.about(`p-${3 * MOST_DECISIONS - 1}`)).toHaveLength(1)
  })
})
