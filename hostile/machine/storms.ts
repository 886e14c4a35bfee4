import { Seconds } from '@breakwater/core'
import { expect } from 'vitest'
import { by, target } from './client-attack.ts'
import type { ClientAttack } from './client-attack.ts'

/** Too much of what is right. */
export const storms: readonly ClientAttack[] = [
  by(
    'quota and more',
    'all the room that the server has',
    'RFC 9132 §4.4.1.3, §11',
    '5.03 beyond the client’s share',
    'refused',
    (world) => {
      const codes: string[] = []
      for (let index = 0; index < 1100; index++) {
        codes.push(world.codeOf(world.attacker.put(index, target(`2001:db8::${index.toString(16)}/128`))))
        world.bed.advance(Seconds(0.05))
      }
      expect(codes.filter((code) => code === '2.01')).toHaveLength(1000)
      expect(world.codes(world.attacker.put(9999, target('192.0.2.1/32')))).toEqual(['5.03'])
    }
  ),
  by(
    'request storm',
    'the time of the server',
    'RFC 9132 §11; RFC 8516',
    '4.29, and then silence',
    'limited',
    (world) => {
      const answers = Array.from({ length: 5000 }, () => world.attacker.get())
      const codes = world.codes(...answers)
      expect(codes).toContain('4.29')
      expect(codes).toContain('silence')
    }
  ),
  by(
    'request storm from many sessions',
    'more than one client’s share of time',
    'RFC 9132 §11',
    '4.29: the identity counts, not the session',
    'limited',
    (world) => {
      const sessions = Array.from({ length: 50 }, () => world.session())
      const answers = sessions.flatMap((peer) => Array.from({ length: 100 }, () => peer.get()))
      expect(answers.filter(([first]) => first?.code === '4.04').length).toBeLessThanOrEqual(1000)
    }
  ),
  by(
    'Observe storm',
    'a notification for each of a thousand observations',
    'RFC 7641 §7; RFC 9132 §4.4.2.1',
    '2.05; 64 are kept; 1 notification in 3 s',
    { counter: 'dots_server_notifications_total' },
    (world) => {
      const { attacker } = world
      attacker.put(1, target('192.0.2.1/32'))
      for (let copy = 0; copy < 500; copy++) attacker.observe(1)
      const before = attacker.notifications.length
      world.bed.advance(Seconds(30))
      attacker.update(1, { ...target('192.0.2.1/32'), attackStatus: 1 })
      world.bed.advance(Seconds(30))
      expect(attacker.notifications.length - before).toBeLessThanOrEqual(21)
      expect(attacker.notifications.length).toBeGreaterThan(0)
    }
  ),
  by(
    'more targets than a request may have',
    'one request that takes for ever',
    'RFC 9132 §4.4.1.3',
    '4.13',
    'refused',
    (world) => {
      const many = Array.from({ length: 300 }, (_, index) => `2001:db8::${index.toString(16)}/128`)
      expect(world.codeOf(world.attacker.put(1, { targetPrefix: many, lifetime: 600 }))).toBe('4.13')
    }
  ),
  by(
    'streams without number',
    'an open file of the server for each',
    'RFC 8323 §8; RFC 9132 §11',
    'the one that was silent for longest is ended',
    { event: 'stream-ended' },
    (world) => {
      const streams = Array.from({ length: 40 }, () => world.session('client.example.net', 'tcp'))
      expect(world.bed.closed.length).toBe(24)
      expect(world.codes(streams.at(-1)?.get() ?? [])).toEqual(['4.04'])
    }
  ),
  by(
    'datagrams after the end',
    'requests without a session',
    'RFC 9132 §7.1',
    'silence',
    { counter: 'dots_server_datagrams_without_session_total' },
    (world) => {
      const ghost = world.session()
      world.bed.feed({ kind: 'session-closed', peer: ghost.id, reason: 'close-notify' })
      expect(ghost.put(1, target('192.0.2.1/32'))).toEqual([])
      expect(world.plans()).toEqual(['honest/1'])
    }
  ),
  by(
    'heartbeats that lie',
    'a server that takes measures because its heartbeats are said to be lost',
    'RFC 9132 §4.7',
    '2.04',
    { counter: 'dots_server_heartbeats_received_total' },
    (world) => {
      for (let copy = 0; copy < 1000; copy++) {
        expect(world.codes(world.attacker.heartbeat(copy % 2 === 0))).toEqual(['2.04'])
      }
      expect(world.bed.closed).toEqual([])
    }
  )
]
