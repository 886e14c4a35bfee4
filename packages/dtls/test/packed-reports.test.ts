import { describe, expect, it } from 'vitest'
import { unpackReports } from '../src/packed-reports.ts'

const LOOPBACK = [4, 0x7f000001, 0, 0, 0, 4646]
const DOCUMENTATION = [6, 0x20010db8, 0, 0, 1, 50_000]
const UNSAID = Array.from({ length: 18 }, () => 0)

const local = { address: { family: 4, a: 0x7f000001, b: 0, c: 0, d: 0 }, port: 4646 }
const remote = { address: { family: 6, a: 0x20010db8, b: 0, c: 0, d: 1 }, port: 50_000 }

describe('packed reports', () => {
  it('of every kind come out in their order, each with its own texts', () => {
    const numbers = [
      [0, 7, 1, 1200, 0, 1, 0, 0, 1, ...LOOPBACK, ...DOCUMENTATION],
      [1, 7, 2, ...UNSAID],
      [0, 8, 3, 900, 1, 0, 2, 1, 0, ...LOOPBACK, ...DOCUMENTATION],
      [0, 9, 3, 900, 0, 2, 0, 0, 0, ...LOOPBACK, ...DOCUMENTATION],
      [2, 10, 4, ...UNSAID],
      [3, 11, 4, 1400, 0, ...UNSAID.slice(2)],
      [3, 12, 4, 0, 1, ...UNSAID.slice(2)]
    ].flat()
    const texts = [
      'site-1',
      'eth0',
      'alert',
      'a.example',
      'b.example',
      '_dots._udp.c.example',
      'A',
      'aa',
      'bb'
    ]
    const path = { local, remote }
    expect(
      unpackReports([Float64Array.from(numbers), ...texts, 'timeout', 'too-big', 'unreachable'])
    ).toEqual([
      {
        kind: 'established',
        peer: 7,
        after: 1,
        identity: { kind: 'psk', identity: 'site-1' },
        path: { ...path, interface: 'eth0' },
        maximumPlaintext: 1200,
        resumed: false
      },
      { kind: 'closed', peer: 7, after: 2, reason: 'alert' },
      {
        kind: 'established',
        peer: 8,
        after: 3,
        identity: {
          kind: 'certificate',
          dnsNames: ['a.example', 'b.example'],
          srvNames: ['_dots._udp.c.example'],
          subject: 'A',
          spkiSha256: 'aa'
        },
        path,
        maximumPlaintext: 900,
        resumed: true
      },
      {
        kind: 'established',
        peer: 9,
        after: 3,
        identity: { kind: 'raw-public-key', spkiSha256: 'bb' },
        path,
        maximumPlaintext: 900,
        resumed: false
      },
      { kind: 'failed', peer: 10, after: 4, reason: 'timeout' },
      { kind: 'hint', after: 4, hint: { peer: 11, kind: 'too-big', origin: 'icmp', mtuBytes: 1400 } },
      { kind: 'hint', after: 4, hint: { peer: 12, kind: 'unreachable', origin: 'local' } }
    ])
  })
})
