import type { NameView, PlanView, ProtectionView } from '@breakwater/control'
import { describe, expect, it } from 'vitest'
import { planLines } from '../src/output/plan-lines.ts'
import { protectionLines } from '../src/output/protection-lines.ts'

const www: NameView = {
  name: 'www.example.net',
  state: 'resolved',
  addresses: ['100.64.7.7', '198.51.100.7'],
  leaving: ['198.51.100.7'],
  askedAgainInSeconds: 300
}

const nothing: PlanView = {
  verdict: 'waiting',
  parts: [],
  refusals: [],
  uncovered: [],
  waiting: [],
  translated: []
}

describe('what names mean, for people', () => {
  it.each<[string, NameView, string]>([
    [
      'one that moves',
      www,
      'www.example.net is 100.64.7.7, 198.51.100.7 (until others forget it); asked again in 5 min'
    ],
    [
      'one whose resolver fails',
      {
        name: 'a.example',
        state: 'kept',
        addresses: ['198.51.100.7'],
        askedAgainInSeconds: 10,
        text: 'no answer'
      },
      'a.example was 198.51.100.7, and that is kept: no answer; asked again in 10 s'
    ],
    [
      'one that nobody knows',
      { name: 'a.example', state: 'unresolved', addresses: [], askedAgainInSeconds: 5, text: 'no such name' },
      'a.example is not known: no such name; asked again in 5 s'
    ],
    [
      'one that is new',
      { name: 'a.example', state: 'resolving', addresses: [] },
      'a.example is being resolved'
    ]
  ])('%s', (_title, name, text) => {
    expect(
      planLines({ ...nothing, names: [name] })
        .join(' ')
        .replaceAll(/ +/g, ' ')
    ).toBe(`Waiting. ${text}`)
  })

  it('stand with the protection, under what it was asked for', () => {
    const protection: ProtectionView = {
      id: 'p-1',
      revision: 1,
      state: 'protected',
      target: { prefixes: [], ports: [], protocols: [] },
      named: { fqdns: [], uris: ['https://www.example.net/'], aliases: ['shop'] },
      names: [{ ...www, leaving: [] }],
      requests: [],
      missing: []
    }
    expect(protectionLines(protection).slice(0, 2)).toEqual([
      'p-1: protected, https://www.example.net/, alias shop',
      '  www.example.net is 100.64.7.7, 198.51.100.7; asked again in 5 min'
    ])
  })

  it('come with what may do harm', () => {
    const text = 'isp-a and isp-b divert 203.0.113.0/24 to themselves'
    const warnings = [{ prefixes: ['203.0.113.0/24'], servers: ['isp-a', 'isp-b'], text }]
    expect(planLines({ ...nothing, verdict: 'placed', warnings })).toEqual([
      'Placed: all of it.',
      `  warning ${text}`
    ])
  })
})
