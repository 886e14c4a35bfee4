import { Seconds } from '@breakwater/core'
import { expect } from 'vitest'
import { CUID, cuid, entryOf, only } from '../../packages/dots/test/server/server-bed.ts'
import { by, target } from './client-attack.ts'
import type { ClientAttack } from './client-attack.ts'

/** When mitigations begin and end, and whose. */
export const lifetimes: readonly ClientAttack[] = [
  by(
    'lifetime for ever',
    'a filter that nobody takes away',
    'RFC 9132 §4.4.1.1',
    '2.01 with the longest lifetime that is granted',
    'created',
    (world) => {
      for (const [id, lifetime] of [
        [1, -1],
        [2, 2_147_483_647],
        [3, 4_294_967_295]
      ] as const) {
        const answer = only(world.attacker.put(id, target(`192.0.2.${id}/32`, lifetime)))
        expect(answer.code).toBe('2.01')
        expect(entryOf(answer).lifetime).toBeGreaterThan(0)
        expect(entryOf(answer).lifetime).toBeLessThanOrEqual(86_400)
      }
    }
  ),
  by(
    'lifetime 0',
    'a mitigation that is over before it begins',
    'RFC 9132 §4.4.1.1',
    '4.00',
    'refused',
    (world) => {
      for (const lifetime of [0])
        expect(world.codeOf(world.attacker.put(1, target('192.0.2.1/32', lifetime)))).toBe('4.00')
    }
  ),
  by(
    'on and off',
    'a device that is busy with nothing else',
    'RFC 9132 §4.4.4',
    '2.01 and 2.02; each filter stays for longer',
    'withdrawn',
    (world) => {
      for (let round = 1; round <= 100; round++) {
        world.attacker.put(round, target('192.0.2.1/32'))
        world.attacker.delete(round)
        world.bed.advance(Seconds(1))
      }
      expect(world.bed.withdrawCalls.length).toBeLessThan(100)
      expect(world.bed.inForce.size).toBeLessThan(110)
    }
  ),
  by(
    'rival of the same prefix',
    'the end of another client’s protection, by asking for the same and withdrawing it',
    'RFC 9132 §4.4.1.3',
    '2.01; both stay in force, each until its own end',
    'withdrawn',
    (world) => {
      const rival = world.session('client.rival.net')
      expect(world.codeOf(world.attacker.put(1, target('192.0.2.130/32', 3600)))).toBe('2.01')
      const theirs = cuid('rival')
      for (const [id, prefix] of [
        [1, '192.0.2.130/32'],
        [2, '192.0.2.128/25']
      ] as const) {
        expect(world.codeOf(rival.put(id, target(prefix), theirs))).toBe('2.01')
        expect(world.codeOf(rival.delete(id, theirs))).toBe('2.02')
      }
      world.bed.advance(Seconds(900))
      expect(world.plans()).toEqual([`${CUID}/1`, 'honest/1'])
    }
  ),
  by(
    'preconfigured for a foreign prefix',
    'a filter that falls when the victim loses its signal',
    'RFC 9132 §4.4.1, §4.7',
    '4.00',
    'foreign-target',
    (world) => {
      const trap = { ...target('198.51.100.0/24', 86_400), triggerMitigation: false }
      expect(world.codeOf(world.attacker.put(1, trap))).toBe('4.00')
    }
  ),
  by(
    'playing dead',
    'preconfigured filters in and out of force, time and again',
    'RFC 9132 §4.7',
    'what is preconfigured comes into force for its owner alone',
    { event: 'signal-lost' },
    (world) => {
      const trap = { ...target('192.0.2.0/28', 86_400), triggerMitigation: false }
      expect(world.codeOf(world.attacker.put(1, trap))).toBe('2.01')
      world.attacker.deaf = true
      world.attacker.answersHeartbeats = false
      world.bed.advance(Seconds(600))
      expect(world.events('signal-lost')).toBe(1)
      expect(world.plans()).toEqual([`${CUID}/1`, 'honest/1'])
    }
  )
]
