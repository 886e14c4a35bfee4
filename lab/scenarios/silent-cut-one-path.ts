//
//       +------+      +------+
//       | ISP1 |      | ISP2 |   198.51.100.0/28   203.0.113.16/28
//       +--+---+      +---+--+   own prefix 198.18.7.0/24
//          |              |
//      wan1|              |wan2
//        +-+--------------+-+
//        |       CPE        |    the DOTS client is on the CPE
//        +------------------+
//
//
// On the link to ISP1 packets vanish in both directions, and no interface says so; there is no other way to its server. What ISP1 assigned is asked for again and again
// (RFC 9132 §4.4) and never sent elsewhere (RFC 9284 §5.1); the other provider is not held up.

import { clientOnCpeWithOwnPrefix } from '../multihomed/client-on-cpe.ts'
import { isp1OutOfReach } from '../multihomed/cut.ts'
import { multihomed } from '../multihomed/scenario.ts'
import type { Scenario } from '../scenario.ts'

export const scenario: Scenario = multihomed({
  name: 'silent-cut-one-path',
  summary:
    "packets of a provider's only uplink vanish: nobody else is asked, and it is asked when they pass again",
  topology: clientOnCpeWithOwnPrefix,
  story: isp1OutOfReach(
    (world) => world.setLinks('isp1', 'silent'),
    (world) => world.setLinks('isp1', 'clear'),
    false
  )
})
