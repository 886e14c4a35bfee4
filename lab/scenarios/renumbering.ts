//
//       +------+      +------+
//       | ISP1 |      | ISP2 |   198.51.100.0/28, then 198.51.100.32/28     203.0.113.16/28
//       +--+---+      +---+--+
//          |              |
//      wan1|              |wan2
//        +-+--------------+-+
//        |   CPE with NAT   |    the DOTS client is on the CPE
//        +--------+---------+
//                 |              10.9.0.0/28 inside, one to one for each provider
//
// Two internal hosts are protected, one of them is attacked; servers know them by what the world sees (RFC 9132 §3), each by the
// addresses that its own provider assigned. Then ISP1 gives the site another prefix. Its server is asked for the new addresses, what
// is attacked first, before the old ones are withdrawn, and ISP2, who has nothing to do with it, hears nothing (RFC 9284 §5.1, §6).

import { clientOnCpe } from '../multihomed/client-on-cpe.ts'
import { prefixChanges, prefixChangesInAttack } from '../multihomed/prefix-change.ts'
import { multihomed } from '../multihomed/scenario.ts'
import type { Scenario } from '../scenario.ts'

export const scenario: Scenario = multihomed({
  name: 'renumbering',
  summary:
    'a provider gives another prefix in an attack: the new addresses are asked before the old are withdrawn',
  topology: { ...clientOnCpe, ...prefixChanges },
  story: prefixChangesInAttack(() => Promise.resolve())
})
