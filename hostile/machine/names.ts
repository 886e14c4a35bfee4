import { Seconds } from '@breakwater/core'
import { address } from '@breakwater/testing'
import { expect } from 'vitest'
import { by } from './client-attack.ts'
import type { ClientAttack } from './client-attack.ts'
import { honestCuid } from './machine-world.ts'

/** Targets by name, whose meaning somebody else decides. */
export const names: readonly ClientAttack[] = [
  by(
    'name of somebody else',
    'a filter in front of whoever a name is made to mean',
    'RFC 9132 §4.4.1.1, §11',
    '4.00',
    'foreign-target',
    (world) => {
      world.bed.names.set('evil.example.net', {
        kind: 'addresses',
        addresses: [address('198.51.100.1')],
        ttlSeconds: 60
      })
      expect(world.codeOf(world.attacker.put(1, { targetFqdn: ['evil.example.net'], lifetime: 600 }))).toBe(
        '4.00'
      )
    }
  ),
  by(
    'DNS rebinding',
    'a name that is one’s own while it is checked, and somebody else’s afterwards',
    'RFC 9132 §11; DNS rebinding',
    'what is foreign is left out of the filter',
    { event: 'name-foreign' },
    (world) => {
      const say = (...texts: string[]): void =>
        void world.bed.names.set('www.example.net', {
          kind: 'addresses',
          addresses: texts.map(address),
          ttlSeconds: 60
        })
      say('192.0.2.7')
      expect(world.codeOf(world.attacker.put(1, { targetFqdn: ['www.example.net'], lifetime: 3600 }))).toBe(
        '2.01'
      )
      say('192.0.2.7', '198.51.100.1', '127.0.0.1', '224.0.0.1')
      world.bed.advance(Seconds(300))
      const prefixes = world.bed.applyCalls.slice(1).flatMap((plan) => plan.target.prefixes)
      expect(prefixes.length).toBeGreaterThan(0)
      for (const each of prefixes) expect(each.address).toEqual(address('192.0.2.7'))
    }
  ),
  by(
    'name with ten thousand addresses',
    'a filter of ten thousand rules',
    'RFC 9132 §4.4.1.3',
    '4.13 or 4.00',
    'refused',
    (world) => {
      const addresses = Array.from({ length: 10_000 }, (_, index) => address(`192.0.2.${index % 256}`))
      world.bed.names.set('big.example.net', { kind: 'addresses', addresses, ttlSeconds: 60 })
      expect(world.codeOf(world.attacker.put(1, { targetFqdn: ['big.example.net'], lifetime: 600 }))).toMatch(
        /^[45]\./
      )
    }
  ),
  by(
    'names that nobody answers',
    'a server that waits for DNS',
    'RFC 9132 §4.4.1.1',
    'no answer yet; everybody else is served meanwhile',
    { none: 'it is counted when its time is over' },
    (world) => {
      world.bed.hold.add('resolve')
      for (let index = 0; index < 600; index++)
        world.attacker.put(index, { targetFqdn: [`n${index}.example.net`], lifetime: 600 })
      world.expectHonestUntouched()
      const named = { targetFqdn: ['own.other.net'], lifetime: 60 }
      expect(world.honest.put(4, named, honestCuid)).toEqual([])
      expect(world.bed.held.at(-1)).toMatchObject({ kind: 'resolve', name: 'own.other.net' })
    }
  )
]
