import { expect, it } from 'vitest'
import { decisionLines } from '../src/output/decision-lines.ts'

it('shows decisions by their subjects, the latest last, each with its reason and what it was made by', () => {
  const common = { kind: 'server', subject: 'isp-a' } as const
  const lines = decisionLines([
    {
      ...common,
      at: '2026-11-28T03:04:05.678Z',
      decision: 'session pausing',
      because: 'udp 192.0.2.1 failed: timeout',
      inputs: { 'next try': 'in 60 s' }
    },
    { ...common, at: '2026-11-28T03:05:05.000Z', decision: 'session connecting', because: 'so', inputs: {} },
    {
      kind: 'path',
      subject: 'x\u001b[2J',
      at: '2026-11-28T03:05:05.000Z',
      decision: 'd',
      because: 'b',
      inputs: {}
    }
  ])
  expect(lines).toEqual([
    'server isp-a',
    '  2026-11-28 03:04:05Z  session pausing',
    '    because: udp 192.0.2.1 failed: timeout',
    '    next try: in 60 s',
    '  2026-11-28 03:05:05Z  session connecting',
    '    because: so',
    '',
    'path x?[2J',
    '  2026-11-28 03:05:05Z  d',
    '    because: b'
  ])
})
