//
//                 +--------+
//                 |  host  |        the DOTS client is on it, and speaks to either server from what its provider assigned
//                 +---+----+
//                     |             10.9.0.0/28 inside, one to one for each provider
//            +--------+---------+
//            |   CPE with NAT   |
//            +--+------------+--+
//           wan1|            |wan2
//            +--+---+    +---+--+
//            | ISP1 |    | ISP2 |   198.51.100.0/28, then 198.51.100.32/28     203.0.113.16/28
//            +------+    +------+
//
// ISP1 takes the prefix back in the middle of an attack, and with it the address that the client speaks to ISP1's server from. The
// client says the rest from the new one: another session is established, a minute after the former at the earliest (RFC 9132
// §4.7), and over it ISP1's server is asked for the new addresses, the attacked one first, before the old ones are withdrawn.
// ISP2, who has nothing to do with it, hears nothing (RFC 9284 §5.1, §6).

import { prefixChanges, prefixChangesInAttack } from '../multihomed/prefix-change.ts'
import { multihomed } from '../multihomed/scenario.ts'
import type { Scenario } from '../scenario.ts'

/** The rest of the minute, and a handshake. */
const WITHIN_SECONDS = 75

export const scenario: Scenario = multihomed({
  name: 'renumbering-of-the-client',
  summary: 'a provider takes the prefix back that the client itself speaks from, in an attack',
  isToldAtOnce: true,
  topology: {
    ...prefixChanges,
    cpes: [{ name: 'cpe', uplinks: ['isp1', 'isp2'] }],
    hosts: ['host'],
    clients: [{ name: 'home', on: 'host', providers: ['isp1', 'isp2'] }]
  },
  story: prefixChangesInAttack((story) => story.world.renumber('isp1'), WITHIN_SECONDS)
})
