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
// All of ISP1 is cut off, its server included. What it assigned waits and is never sent to ISP2 (RFC 9284 §5.1); the own prefix is
// asked of ISP2 meanwhile, and of ISP1 as soon as it is back.

import { clientOnCpeWithOwnPrefix } from '../multihomed/client-on-cpe.ts'
import { isp1OutOfReach } from '../multihomed/cut.ts'
import { multihomed } from '../multihomed/scenario.ts'
import type { Scenario } from '../scenario.ts'

export const scenario: Scenario = multihomed({
  name: 'provider-cut',
  summary:
    'a whole provider with its server goes away: the other one goes on, and all is asked when it is back',
  topology: clientOnCpeWithOwnPrefix,
  story: isp1OutOfReach(
    (world) => world.setProvider('isp1', 'cut'),
    (world) => world.setProvider('isp1', 'clear'),
    false
  )
})
