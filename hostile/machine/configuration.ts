import { Method, OptionNumber, blockOption } from '@breakwater/coap'
import { Seconds } from '@breakwater/core'
import { configPath, mitigatePath } from '@breakwater/dots'
import { expect } from 'vitest'
import { CUID, mid } from '../../packages/dots/test/server/server-bed.ts'
import { by, target } from './client-attack.ts'
import type { ClientAttack } from './client-attack.ts'

const RANGE = { currentValue: 65_535 }

/** Parameters of sessions, and methods. */
export const configuration: readonly ClientAttack[] = [
  by(
    'configuration outside all ranges',
    'a server that sends without pause, or never again',
    'RFC 9132 §4.5.2',
    '4.22',
    'refused',
    (world) => {
      const extremes = [
        { heartbeatInterval: RANGE },
        { missingHbAllowed: { currentValue: 0 } },
        { maxRetransmit: RANGE },
        { ackTimeout: { currentValueDecimal: 0 } },
        { ackTimeout: { currentValueDecimal: 0.01 } },
        { ackRandomFactor: { currentValueDecimal: 100 } },
        { probingRate: RANGE }
      ]
      extremes.forEach((each, index) => {
        for (const signalConfig of [{ mitigatingConfig: each }, { idleConfig: each }])
          expect(world.codeOf(world.attacker.configure(index + 1, signalConfig))).toBe('4.22')
      })
    }
  ),
  by(
    'configuration of somebody else',
    'the heartbeats of another session',
    'RFC 9132 §4.5',
    '4.04',
    'refused',
    (world) => {
      const slow = { idleConfig: { heartbeatInterval: { currentValue: 200 } } }
      expect(world.codeOf(world.honest.configure(7, slow))).toBe('2.01')
      expect(world.codeOf(world.attacker.configOf(7))).toBe('4.04')
      world.attacker.configOf(7, Method.delete)
      expect(world.codes(world.honest.configOf(7))).toEqual(['2.05'])
    }
  ),
  by(
    'configuration storm',
    'a session that changes its timers without end',
    'RFC 9132 §4.5.2',
    '4.29 in the end',
    'limited',
    (world) => {
      const codes = new Set<string>()
      for (let sid = 1; sid <= 3000; sid++) {
        const seconds = 15 + (sid % 200)
        const answers = world.attacker.configure(sid, {
          idleConfig: { heartbeatInterval: { currentValue: seconds } }
        })
        codes.add(answers[0]?.code ?? 'silence')
      }
      expect([...codes]).toContain('4.29')
    }
  ),
  by(
    'parameters that remember for ever',
    'memory: by the longest parameters that are granted, a message is remembered for 45 days',
    'RFC 9132 §4.5.2; RFC 7252 §4.8.2',
    '2.01; what is remembered is bounded by number, and half bodies by the time that they had before',
    'answered',
    (world) => {
      const longest = {
        maxRetransmit: { currentValue: 15 },
        ackTimeout: { currentValueDecimal: 30 },
        ackRandomFactor: { currentValueDecimal: 4 }
      }
      const { attacker, bed } = world
      attacker.put(1, target('192.0.2.1/32'))
      expect(world.codeOf(attacker.configure(1, { mitigatingConfig: longest, idleConfig: longest }))).toBe(
        '2.01'
      )
      const path = mitigatePath(CUID, mid(1))
      const half = blockOption(OptionNumber.block1, { number: 0, more: true, sizeExponent: 6 })
      for (let copy = 0; copy < 2000; copy++) {
        attacker.request(Method.get, path, new Uint8Array(0), true)
        if (copy % 10 === 0) attacker.request(Method.put, [...path, half], new Uint8Array(1024), true)
        bed.advance(Seconds(0.1))
      }
      expect(bed.machine.loads()['coap_messages_remembered']).toBeLessThanOrEqual(2 * 512)
      expect(bed.machine.loads()['coap_transfers']).toBeLessThanOrEqual(2)
      bed.advance(Seconds(600))
      expect(bed.machine.loads()['coap_transfers']).toBe(0)
    }
  ),
  by(
    'methods that are none',
    'a handler that nobody wrote',
    'RFC 7252 §5.8; RFC 9132 §4.1',
    '4.05',
    'refused',
    (world) => {
      for (const method of [Method.post, 5, 6, 7, 20, 31])
        for (const path of [mitigatePath(CUID, mid(1)), configPath()])
          expect(world.codes(world.attacker.request(method, path))).toEqual(['4.05'])
    }
  )
]
