import { fromHex, toHex } from '@breakwater/core'
import { expect, test } from 'vitest'
import { ConflictCauseCode, MitigationStatusCode, decodeSignal, encodeSignal } from '../src/index.ts'
import type { SignalMessage } from '../src/index.ts'

/** Hexadecimal as the RFC prints it: with blanks and comments. */
function printed(text: string): Uint8Array {
  return fromHex(text.replace(/#.*$/gm, '').replace(/\s/g, '').toLowerCase())
}

function bothWays(message: SignalMessage, bytes: Uint8Array): void {
  expect(toHex(encodeSignal(message))).toBe(toHex(bytes))
  expect(decodeSignal(bytes)).toEqual(message)
}

test('RFC 9132 §4.4.1.1, Figures 7 and 8: a mitigation request', () => {
  bothWays(
    {
      mitigationScope: {
        scope: [
          {
            targetPrefix: ['2001:db8:6401::1/128', '2001:db8:6401::2/128'],
            targetPortRange: [{ lowerPort: 80 }, { lowerPort: 443 }, { lowerPort: 8080 }],
            targetProtocol: [6],
            lifetime: 3600
          }
        ]
      }
    },
    printed(`
      A1                                      # map(1)
         01                                   # unsigned(1)
         A1                                   # map(1)
            02                                # unsigned(2)
            81                                # array(1)
               A4                             # map(4)
                  06                          # unsigned(6)
                  82                          # array(2)
                     74                       # text(20)
                        323030313A6462383A363430313A3A312F313238
                     74                       # text(20)
                        323030313A6462383A363430313A3A322F313238
                  07                          # unsigned(7)
                  83                          # array(3)
                     A1                       # map(1)
                        08                    # unsigned(8)
                        18 50                 # unsigned(80)
                     A1                       # map(1)
                        08                    # unsigned(8)
                        19 01BB               # unsigned(443)
                     A1                       # map(1)
                        08                    # unsigned(8)
                        19 1F90               # unsigned(8080)
                  0A                          # unsigned(10)
                  81                          # array(1)
                     06                       # unsigned(6)
                  0E                          # unsigned(14)
                  19 0E10                     # unsigned(3600)`)
  )
})

test('RFC 9132 §4.4.1.3, Figure 11: a conflict of cuids', () => {
  bothWays(
    {
      mitigationScope: {
        scope: [{ conflictInformation: { conflictCause: ConflictCauseCode.cuidCollision } }]
      }
    },
    printed('A1 01 A1 02 81 A1 11 A1 13 03')
  )
})

test('RFC 9132 §4.4.2, Figure 14: the status of a mitigation, its start without tag 1 [RFC9132-4.4.2-M09]', () => {
  bothWays(
    {
      mitigationScope: {
        scope: [
          {
            mid: 12332,
            mitigationStart: 1507818434n,
            targetPrefix: ['2001:db8:6401::1/128'],
            targetProtocol: [17],
            lifetime: 1756,
            status: MitigationStatusCode.attackSuccessfullyMitigated,
            bytesDropped: 134334555n,
            bpsDropped: 43344n,
            pktsDropped: 333334444n,
            ppsDropped: 432432n
          }
        ]
      }
    },
    printed(`
      A1 01 A1 02 81 AA
        05 19 302C                    # mid
        06 81 74 323030313A6462383A363430313A3A312F313238
        0A 81 11
        0E 19 06DC                    # lifetime
        0F 1A 59DF7BC2                # mitigation-start: no tag
        10 02                         # status
        18 19 1A 0801C85B             # bytes-dropped
        18 1A 19 A950                 # bps-dropped
        18 1B 1A 13DE47AC             # pkts-dropped
        18 1C 1A 00069930             # pps-dropped`)
  )
})

test('RFC 9132 §4.5.2, Figure 23: session configuration, decimals as tag 4 [-2, integer]', () => {
  bothWays(
    {
      signalConfig: {
        mitigatingConfig: {
          heartbeatInterval: { currentValue: 30 },
          missingHbAllowed: { currentValue: 15 },
          probingRate: { currentValue: 15 },
          maxRetransmit: { currentValue: 3 },
          ackTimeout: { currentValueDecimal: 2 },
          ackRandomFactor: { currentValueDecimal: 1.5 }
        },
        idleConfig: {
          heartbeatInterval: { currentValue: 0 },
          maxRetransmit: { currentValue: 3 },
          ackTimeout: { currentValueDecimal: 2 },
          ackRandomFactor: { currentValueDecimal: 1.5 }
        }
      }
    },
    printed(`
      A1 18 1E A2
        18 20 A6
          18 21 A1 18 24 18 1E
          18 25 A1 18 24 0F
          18 26 A1 18 24 03
          18 27 A1 18 2B C4 82 21 18 C8
          18 28 A1 18 2B C4 82 21 18 96
          18 32 A1 18 24 0F
        18 2C A4
          18 21 A1 18 24 00
          18 26 A1 18 24 03
          18 27 A1 18 2B C4 82 21 18 C8
          18 28 A1 18 2B C4 82 21 18 96`)
  )
})

test('RFC 9132 §4.6, Figure 26: redirection', () => {
  bothWays(
    {
      redirectedSignal: {
        altServer: 'alt-server.example',
        altServerRecord: ['2001:db8:6401::1', '2001:db8:6401::2']
      }
    },
    printed(`
      A1 18 2E A2
        18 2F 72 616C742D7365727665722E6578616D706C65
        18 30 82
          70 323030313A6462383A363430313A3A31
          70 323030313A6462383A363430313A3A32`)
  )
})

test('RFC 9132 §4.7, Figure 27: a heartbeat', () => {
  bothWays({ heartbeat: { peerHbStatus: true } }, printed('A1 18 31 A1 18 33 F5'))
  bothWays({ heartbeat: { peerHbStatus: false } }, printed('A1 18 31 A1 18 33 F4'))
})

test('RFC 9132 §4.4.1.1: −1 stands for a lifetime without end', () => {
  bothWays({ mitigationScope: { scope: [{ lifetime: -1 }] } }, printed('A1 01 A1 02 81 A1 0E 20'))
})

test('RFC 9132 §10.5: tag 271 may prefix the message and nothing else [RFC9132-10.5-M01]', () => {
  const heartbeat = 'A1 18 31 A1 18 33 F5'
  expect(decodeSignal(printed(`D9 010F ${heartbeat}`))).toEqual({ heartbeat: { peerHbStatus: true } })
  for (const misplaced of [
    'A1 18 31 D9 010F A1 18 33 F5',
    'A1 18 31 A1 18 33 D9 010F F5',
    'A1 D9 010F 18 31 A1 18 33 F5',
    `D9 010F D9 010F ${heartbeat}`,
    `D9 0110 ${heartbeat}`
  ])
    expect(() => decodeSignal(printed(misplaced)), misplaced).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^MODEL_(TYPE_MISMATCH|KEY_INVALID)$/) })
    )
})

test('RFC 9132 §4.4.2: a mitigation-start with tag 1 is refused', () => {
  expect(() => decodeSignal(printed('A1 01 A1 02 81 A1 0F C1 1A 59DF7BC2'))).toThrow(
    'scope[0].mitigation-start: a tag where an unsigned integer is due'
  )
})
