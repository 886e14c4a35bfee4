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
// RFC 9132 §4.4.1.3: of two requests of one client that overlap, a server deletes the older one. A host is protected, then the
// network around it, then the wide one is released: the host stays protected, at both servers, all the time.

import { clientOnCpeWithOwnPrefix } from '../multihomed/client-on-cpe.ts'
import { multihomed } from '../multihomed/scenario.ts'
import type { Scenario } from '../scenario.ts'

export const scenario: Scenario = multihomed({
  name: 'overlapping-protections',
  summary: 'no request of ours removes what another live protection needs',
  topology: clientOnCpeWithOwnPrefix,
  story: async (story) => {
    await story.untilSessionsStand()
    const host = await story.protect('home', '198.18.7.7/32')
    await story.expectAsked(host, {
      'dots.isp1.example': ['198.18.7.7/32'],
      'dots.isp2.example': ['198.18.7.7/32']
    })
    const network = await story.protect('home', '198.18.7.0/28')
    await story.expectProtected(network)
    await story.expectStillProtected(host)
    await story.release(network)
    await story.expectStillProtected(host)
    const pair = await story.protect('home', '198.51.100.2/31', '203.0.113.18/31')
    await story.expectProtected(pair)
    const half = await story.protect('home', '198.51.100.3/32')
    await story.expectProtected(half)
    await story.release(pair)
    await story.expectStillProtected(half)
    await story.expectStillProtected(host)
  }
})
