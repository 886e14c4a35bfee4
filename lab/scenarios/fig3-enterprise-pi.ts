//
//       +------+      +------+
//       | ISP1 |      | ISP2 |   both announce 198.18.7.0/24, the own prefix of the site (PI)
//       +--+---+      +---+--+
//          +----+    +----+
//            +--+----+--+
//            |   CPE    |        the DOTS client is on the CPE
//            +----+-----+
//                 |              internal network
//
// RFC 9284 Figure 3 with provider-independent addresses: all servers are asked (§5.2), and nobody waits for anybody. How long
// each takes alone is measured first; both together take as long as the slower one, and a fifth at most.

import { clientOnCpeWithOwnPrefix } from '../multihomed/client-on-cpe.ts'
import { multihomed } from '../multihomed/scenario.ts'
import type { Scenario } from '../scenario.ts'

export const scenario: Scenario = multihomed({
  name: 'fig3-enterprise-pi',
  summary: 'RFC 9284 Figure 3: an address of the site itself (PI) is asked of all servers, in parallel',
  topology: clientOnCpeWithOwnPrefix,
  story: async (story) => {
    await story.untilSessionsStand()
    const one = await story.protect('home', '198.51.100.2/32')
    await story.expectAsked(one, { 'dots.isp1.example': ['198.51.100.2/32'] })
    const other = await story.protect('home', '203.0.113.18/32')
    await story.expectAsked(other, { 'dots.isp2.example': ['203.0.113.18/32'] })
    const own = await story.protect('home', '198.18.7.7/32')
    await story.expectAsked(own, {
      'dots.isp1.example': ['198.18.7.7/32'],
      'dots.isp2.example': ['198.18.7.7/32']
    })
    story.expectParallel(own, [one, other])
  }
})
