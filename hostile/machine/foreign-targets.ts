import { expect } from 'vitest'
import { by, target } from './client-attack.ts'
import type { ClientAttack } from './client-attack.ts'

/** A request for one prefix, which must come to nothing. */
function refusedTarget(name: string, prefixes: readonly string[], trace: string): ClientAttack {
  const after = 'a filter in front of somebody else, or of everybody'
  return by(name, after, 'RFC 9132 §4.4.1.1, §11', '4.00', trace, (world) => {
    for (const each of prefixes) {
      expect(world.codeOf(world.attacker.put(1, target(each))), each).toBe('4.00')
      const mixed = { targetPrefix: ['192.0.2.7/32', each], lifetime: 600 }
      expect(world.codeOf(world.attacker.put(2, mixed)), each).toBe('4.00')
    }
    expect(world.plans()).toEqual(['honest/1'])
    expect(world.bed.records.size).toBe(1)
  })
}

/** A filter for what is not the attacker’s own. */
export const targets: readonly ClientAttack[] = [
  refusedTarget('foreign prefix', ['198.51.100.1/32', '203.0.113.0/24', '192.0.3.0/24'], 'foreign-target'),
  refusedTarget(
    'prefix that reaches beyond one’s own',
    ['192.0.2.0/23', '192.0.0.0/16', '2001:d00::/24'],
    'foreign-target'
  ),
  refusedTarget('foreign prefix in disguise', ['::ffff:198.51.100.1/128'], 'foreign-target'),
  refusedTarget('the whole Internet', ['0.0.0.0/0', '0.0.0.0/1', '128.0.0.0/1'], 'refused'),
  refusedTarget('the whole Internet of IPv6', ['::/0'], 'refused'),
  refusedTarget('multicast and broadcast', ['224.0.0.1/32', 'ff02::1/128', '255.255.255.255/32'], 'refused'),
  refusedTarget('loopback of the server', ['127.0.0.1/32', '127.0.0.0/8', '::1/128'], 'refused')
]
