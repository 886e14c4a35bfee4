import { expect, test } from 'vitest'
import { decodeSignal, encodeSignal } from '../src/index.ts'
import type { MitigationScopeEntry, SignalMessage } from '../src/index.ts'
import { faultOf, hex } from './fault.ts'

const lifetime = 'a1 01 a1 02 81 a1 0e'
const protocol = 'a1 01 a1 02 81 a1 0a 81'
const port = 'a1 01 a1 02 81 a1 07 81 a1 08'
const mid = 'a1 01 a1 02 81 a1 05'
const counter = 'a1 01 a1 02 81 a1 18 19'
const missed = 'a1 18 1e a1 18 20 a1 18 25 a1 18 24'
const factor = 'a1 18 1e a1 18 20 a1 18 28 a1 18 2b c4 82 21'

test.each([
  ['uint8', protocol, ['00', '18 ff'], ['19 01 00', '20']],
  ['uint16', missed, ['00', '19 ff ff'], ['1a 00 01 00 00', '20']],
  ['port-number', port, ['00', '19 ff ff'], ['1a 00 01 00 00', '20']],
  ['uint32', mid, ['00', '1a ff ff ff ff'], ['1b 00 00 00 01 00 00 00 00', '20']],
  [
    'uint32 or −1',
    lifetime,
    ['20', '00', '1a ff ff ff ff'],
    ['21', '1b 00 00 00 01 00 00 00 00', '3b ff ff ff ff ff ff ff ff']
  ],
  ['status', 'a1 01 a1 02 81 a1 10', ['01', '08', '09', '1a 7f ff ff ff'], ['00', '1a 80 00 00 00', '20']],
  ['conflict-status', 'a1 01 a1 02 81 a1 11 a1 12', ['01', '03'], ['00']],
  ['conflict-cause', 'a1 01 a1 02 81 a1 11 a1 13', ['01', '03'], ['00']],
  ['attack-status', 'a1 01 a1 02 81 a1 18 1d', ['01', '02'], ['00', '03']],
  [
    'decimal64',
    factor,
    ['00', '1b 00 03 8d 7e a4 c6 80 00', '3b 00 03 8d 7e a4 c6 7f ff'],
    ['1b 00 03 8d 7e a4 c6 80 01', '3b 00 03 8d 7e a4 c6 80 00']
  ]
])('%s is accepted up to both its edges, and refused beyond', (_type, before, inside, outside) => {
  for (const value of inside) expect(faultOf(hex(`${before} ${value}`)), value).toBe('decoded')
  for (const value of outside)
    expect(faultOf(hex(`${before} ${value}`)), value).toMatch(/^MODEL_OUT_OF_RANGE /)
})

test('64-bit counters are exact up to their last value', () => {
  const of = (value: string): bigint | undefined =>
    decodeSignal(hex(`${counter} ${value}`)).mitigationScope?.scope?.[0]?.bytesDropped
  expect(of('00')).toBe(0n)
  expect(of('1b 00 20 00 00 00 00 00 01')).toBe(2n ** 53n + 1n)
  expect(of('1b ff ff ff ff ff ff ff ff')).toBe(2n ** 64n - 1n)
  expect(faultOf(hex(`${counter} 20`))).toBe('MODEL_TYPE_MISMATCH scope[0].bytes-dropped')
})

function entry(fields: MitigationScopeEntry): SignalMessage {
  return { mitigationScope: { scope: [fields] } }
}

test.each<[keyof MitigationScopeEntry, readonly string[], readonly string[]]>([
  [
    'targetPrefix',
    ['192.0.2.0/24', '192.0.2.1/24', '0.0.0.0/0', '2001:db8::/32', '::ffff:192.0.2.1/128'],
    [
      '192.0.2.0',
      '192.0.2.0/33',
      '192.0.2.0/',
      '2001:db8::/129',
      '192.0.2/24',
      '192.0.2.0/024',
      'fe80::1%eth0/64',
      ' ::/0'
    ]
  ],
  [
    'targetFqdn',
    [
      'www.example.com',
      'example.',
      '.',
      '_dots._udp.example.net',
      'a'.repeat(63),
      `${'a'.repeat(63)}.`.repeat(3) + 'a'.repeat(61)
    ],
    [
      '',
      'www..example',
      '.example',
      '-a.example',
      'a-.example',
      'a_.example',
      '_',
      'a b',
      'a'.repeat(64),
      `${'a'.repeat(63)}.`.repeat(3) + 'a'.repeat(62),
      'müller.example'
    ]
  ],
  [
    'targetUri',
    ['https://www.example.com/path?query#fragment', 'coaps+tcp://[2001:db8::1]:4646', 'urn:x', 'a:%41'],
    [
      'www.example.com',
      '//example.com',
      'https://a b',
      'https://a/%4',
      'https://a/%zz',
      '1http:x',
      'a:"',
      'a:ü'
    ]
  ],
  ['aliasName', ['a', 'Straße 🛡'], ['', '\ud800']]
])('%s: texts of the type pass both ways, others neither', (name, good, bad) => {
  for (const text of good) {
    const message = entry({ [name]: [text] })
    expect(decodeSignal(encodeSignal(message)), text).toEqual(message)
  }
  for (const text of bad) expect(() => encodeSignal(entry({ [name]: [text] })), text).toThrow(/\[0\]: /)
})

test('a text that its type does not allow is refused where it arrives', () => {
  expect(() => decodeSignal(hex('a1 01 a1 02 81 a1 06 81 63 61 2f 31'))).toThrow(
    'scope[0].target-prefix[0]: "a/1" is no ip-prefix'
  )
  expect(faultOf(hex('a1 18 2e a1 18 2f 63 61 2e 2e'))).toBe('MODEL_TEXT_INVALID alt-server')
  expect(faultOf(hex('a1 18 2e a2 18 2f 61 61 18 30 81 63 31 2e 32'))).toBe(
    'MODEL_TEXT_INVALID alt-server-record[0]'
  )
})

test('what could not be read back is not written', () => {
  const cases: readonly (readonly [SignalMessage, string])[] = [
    [entry({ lifetime: -2 }), 'scope[0].lifetime: -2 is not a whole number between -1 and 4294967295'],
    [entry({ lifetime: 1.5 }), 'scope[0].lifetime: 1.5'],
    [entry({ lifetime: Number.NaN }), 'scope[0].lifetime: NaN'],
    [entry({ targetPrefix: [] }), 'scope[0].target-prefix: is not a list'],
    [entry({ bytesDropped: 2n ** 64n }), 'scope[0].bytes-dropped: 18446744073709551616'],
    [entry({ bytesDropped: -1n }), 'scope[0].bytes-dropped: -1'],
    [entry({ attackStatus: 3 }), 'scope[0].attack-status: 3 is no attack-status'],
    [entry({ attackStatus: 1, mid: 1 }), 'scope[0].attack-status: stands beside mid'],
    [
      entry({ targetPortRange: [{ lowerPort: 2, upperPort: 1 }] }),
      'scope[0].target-port-range[0].upper-port: 1 is below'
    ],
    [entry({ targetPortRange: [{ lowerPort: 2 }, { lowerPort: 2 }] }), 'two entries have the lower-port 2'],
    [
      { signalConfig: { idleConfig: { ackTimeout: { currentValueDecimal: 1.234 } } } },
      '1.234 is not a decimal fraction'
    ],
    [{ heartbeat: { peerHbStatus: true }, signalConfig: {} }, 'the containers of two'],
    [entry({ aliasName: ['a'.repeat(70_000)] }), 'the message is longer than 65535 bytes'],
    [entry({ targetProtocol: Array<number>(16_384).fill(6) }), 'the message has more than 16384 data items']
  ]
  for (const [message, problem] of cases)
    expect(() => encodeSignal(message), problem).toThrow(
      expect.objectContaining({ code: 'MODEL_ENCODE_INVALID', message: expect.stringContaining(problem) })
    )
})

function alias(utf8: string): string {
  return faultOf(hex(`a1 01 a1 02 81 a1 0d 81 ${utf8}`))
}

test('texts have the characters that YANG allows (RFC 7950 §9.4)', () => {
  for (const allowed of ['61 09', '61 0a', '61 0d', '61 7f', '63 ef bf bd', '64 f0 9f 8c 8a'])
    expect(alias(allowed), allowed).toBe('decoded')
  for (const excluded of ['61 00', '61 08', '61 0b', '61 1f', '63 ef bf be', '63 ef b7 90', '64 f4 8f bf bf'])
    expect(alias(excluded), excluded).toBe('MODEL_TEXT_INVALID scope[0].alias-name[0]')
})
