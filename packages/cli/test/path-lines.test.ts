import type { PathView } from '@breakwater/control'
import { expect, it } from 'vitest'
import { pathLines } from '../src/output/path-lines.ts'

const path: PathView = {
  server: 'dots1',
  domain: 'isp-a',
  transport: 'udp',
  source: '198.51.100.1',
  interface: 'wan-a',
  remote: '192.0.2.1:4646',
  use: 'session',
  state: 'up',
  outward: 'up',
  inward: 'up',
  score: 0.5,
  because: 'a request was answered',
  mtuBytes: 1280,
  mtuSource: 'assumed',
  roundTripMilliseconds: 12.4,
  timeouts: 0,
  goodSecondsAgo: 3
}

/** Without the columns. */
function lineOf(condition: string): string {
  return pathLines({ paths: [{ ...path, condition }], illegal: [] })
    .join(' ')
    .replaceAll(/ +/g, ' ')
}

it('shows the paths of each server, what they are used for, how they fare and why', () => {
  const second: PathView = {
    ...path,
    interface: 'wan-b',
    use: 'unused',
    state: 'suspect',
    score: -0.4,
    inheritedFrom: 'via wan-b',
    because: 'others failed via wan-b',
    mtuBytes: 1400,
    mtuSource: 'said',
    nextHop: '192.0.2.254 on wan-b'
  }
  const { roundTripMilliseconds: _rtt, goodSecondsAgo: _good, ...unused } = second
  const illegal = [{ server: 'dots1', domain: 'isp-a', because: 'source 203.0.113.1 belongs to isp-b' }]
  expect(pathLines({ paths: [path, unused], illegal })).toEqual([
    'dots1 (isp-a)',
    '  USE      STATE    SCORE  RTT    MTU    PATH',
    '  session  up       0.50   12 ms  1280   udp wan-a 198.51.100.1 to',
    '                                         192.0.2.1:4646; a request was answered',
    '                                         3 s ago',
    '           suspect  -0.40  -      1400?  udp wan-b 198.51.100.1 to',
    '                                         192.0.2.1:4646; by 192.0.2.254 on',
    '                                         wan-b; others failed via wan-b; score',
    '                                         of via wan-b',
    '  not legal: source 203.0.113.1 belongs to isp-b'
  ])
})

it('tells a link that is full inbound from one that is dead', () => {
  expect(lineOf('inbound-full')).toContain('LINK FULL INBOUND')
  expect(lineOf('dead')).toContain('DEAD: nothing is heard')
})

it('says of a server without a path that there is none', () => {
  const illegal = [{ server: 'isp-a', domain: 'isp-a', because: 'domain isp-a has no source address' }]
  expect(pathLines({ paths: [], illegal })).toEqual([
    'isp-a',
    '  no legal path',
    '  not legal: domain isp-a has no source address'
  ])
})
