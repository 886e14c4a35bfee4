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
// The cable to ISP1 is pulled, and everybody sees it. What ISP1 assigned waits and is never sent elsewhere (RFC 9284 §5.1); the own
// prefix is asked of whom can be reached. When the cable is back, what waits is asked for without anybody's help.

import { clientOnCpeWithOwnPrefix } from '../multihomed/client-on-cpe.ts'
import { isp1OutOfReach } from '../multihomed/cut.ts'
import { multihomed } from '../multihomed/scenario.ts'
import type { Scenario } from '../scenario.ts'

export const scenario: Scenario = multihomed({
  name: 'link-cut',
  summary:
    'the carrier of an uplink goes away in an attack: nobody else is asked, and it is asked when it is back',
  topology: clientOnCpeWithOwnPrefix,
  story: isp1OutOfReach(
    (world) => world.setLinks('isp1', 'cut'),
    (world) => world.setLinks('isp1', 'clear'),
    true
  )
})
