import { Method, OptionNumber } from '@breakwater/coap'
import { Seconds } from '@breakwater/core'
import { mitigatePath } from '@breakwater/dots'
import { expect } from 'vitest'
import { CUID, cuid, mid } from '../../packages/dots/test/server/server-bed.ts'
import { by, target } from './client-attack.ts'
import type { ClientAttack } from './client-attack.ts'
import { honestCuid } from './machine-world.ts'

/** `cuid`, `mid` and `cdid` of others, or too many of them. */
export const identifiers: readonly ClientAttack[] = [
  by(
    'cuid of somebody else',
    'what another client has asked for',
    'RFC 9132 §4.4.1.1, §11',
    '4.09; 4.04 to GET',
    'conflict',
    (world) => {
      const { attacker } = world
      expect(world.codeOf(attacker.put(1, target('192.0.2.1/32'), honestCuid))).toBe('4.09')
      expect(world.codeOf(attacker.put(9, target('192.0.2.1/32'), honestCuid))).toBe('4.09')
      expect(world.codeOf(attacker.delete(1, honestCuid))).toBe('4.09')
      expect(world.codeOf(attacker.get(1, [], honestCuid))).toBe('4.04')
      expect(world.codeOf(attacker.get(undefined, [], honestCuid))).toBe('4.04')
    }
  ),
  by(
    'eavesdropping by Observe',
    'news of somebody else’s attack',
    'RFC 9132 §11',
    '4.04, and no notification',
    'refused',
    (world) => {
      expect(world.codeOf(world.attacker.observe(1, honestCuid))).toBe('4.04')
      world.bed.advance(Seconds(120))
      expect(world.attacker.notifications).toEqual([])
    }
  ),
  by(
    'forged cdid',
    'to be taken for a client behind a trusted gateway',
    'RFC 9132 §4.4.1.2',
    'it counts for nothing: 4.00 or 4.09',
    'foreign-target',
    (world) => {
      const [one, two, three, ...rest] = mitigatePath(honestCuid, mid(1))
      const path = [one, two, three].flatMap((each) => each ?? [])
      const forged = { ...(path[0] ?? { number: OptionNumber.uriPath }), value: Buffer.from('cdid=other') }
      const options = [...path, forged, ...rest]
      expect(world.codes(world.attacker.request(Method.delete, options))).toEqual(['4.09'])
      expect(world.codes(world.attacker.request(Method.get, options))).toEqual(['4.04'])
      expect(world.codeOf(world.attacker.put(5, target('198.51.100.1/32')))).toBe('4.00')
    }
  ),
  by(
    'efficacy update of somebody else',
    'to end a mitigation by saying that the attack is over',
    'RFC 9132 §4.4.3',
    'silence, as for any mitigation that is not there',
    'ignored',
    (world) => {
      for (const prefix of ['198.51.100.1/32', '192.0.2.1/32']) {
        const entry = { targetPrefix: [prefix], lifetime: 3600, attackStatus: 2 }
        expect(world.attacker.update(1, entry, { of: honestCuid })).toEqual([])
      }
    }
  ),
  by(
    'mid that wraps',
    'two requests of which each is the newer',
    'RFC 9132 §4.4.1.1',
    '4.09 to the lower mid',
    'conflict',
    (world) => {
      const { attacker } = world
      expect(world.codeOf(attacker.put(4_294_967_295, target('192.0.2.1/32')))).toBe('2.01')
      for (const id of [0, 1, 4_294_967_294]) {
        const code = world.codeOf(attacker.put(id, target('192.0.2.0/30')))
        expect(['2.01', '4.09']).toContain(code)
      }
      expect(
        world.codes(attacker.put(100, target('192.0.2.0/29')), attacker.put(99, target('192.0.2.0/28')))
      ).toContain('4.09')
      // Of requests that overlap, one is in force.
      expect(world.plans().filter((plan) => plan.startsWith(String(CUID))).length).toBeLessThanOrEqual(2)
    }
  ),
  by(
    'one mid for ever new targets',
    'a filter that changes under the eyes of the operator',
    'RFC 9132 §4.4.1.3',
    '4.00',
    'refused',
    (world) => {
      const { attacker } = world
      expect(world.codeOf(attacker.put(1, target('192.0.2.1/32')))).toBe('2.01')
      for (let host = 2; host < 60; host++) {
        expect(world.codeOf(attacker.put(1, target(`192.0.2.${host}/32`)))).toBe('4.00')
      }
      expect(world.bed.applyCalls).toHaveLength(2)
    }
  ),
  by(
    'ever new cuids',
    'room, as each cuid is a client of its own',
    'RFC 9132 §4.4.1.1',
    '4.29 or 5.03 beyond 64',
    'limited',
    (world) => {
      const codes: string[] = []
      for (let index = 0; index < 200; index++)
        codes.push(world.codeOf(world.attacker.put(1, target(`192.0.2.${index}/32`), cuid(`c${index}`))))
      expect(codes.filter((code) => code === '2.01')).toHaveLength(64)
      expect(new Set(codes.slice(64)).has('2.01')).toBe(false)
    }
  )
]
