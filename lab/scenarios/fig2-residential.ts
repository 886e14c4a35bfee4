//
//       +------+      +------+
//       | ISP1 |      | ISP2 |   198.51.100.0/28   203.0.113.16/28
//       +--+---+      +---+--+   each with a DOTS server and an ingress filter
//          |              |
//      wan1|              |wan2
//          +--+        +--+
//             |  CPE   |         the DOTS client is on the CPE
//             +---+----+
//                 |              home network
//
// RFC 9284 Figure 2. An address of one provider is attacked, then one of the other, then one of each: only who assigned an
// address is asked to protect it, and both at once where both are hit (§5.1). An address of nobody is refused.

import { clientOnCpe } from '../multihomed/client-on-cpe.ts'
import { foreignAddress } from '../multihomed/providers.ts'
import { multihomed } from '../multihomed/scenario.ts'
import type { Scenario } from '../scenario.ts'

export const scenario: Scenario = multihomed({
  name: 'fig2-residential',
  summary: 'RFC 9284 Figure 2: a home with two providers asks the one that assigned the address',
  topology: clientOnCpe,
  story: async (story) => {
    await story.untilSessionsStand()
    const one = await story.protect('home', '198.51.100.2/32')
    await story.expectAsked(one, { 'dots.isp1.example': ['198.51.100.2/32'] })
    const other = await story.protect('home', '203.0.113.18/32')
    await story.expectAsked(other, { 'dots.isp2.example': ['203.0.113.18/32'] })
    const both = await story.protect('home', '198.51.100.3/32', '203.0.113.19/32')
    await story.expectAsked(both, {
      'dots.isp1.example': ['198.51.100.3/32'],
      'dots.isp2.example': ['203.0.113.19/32']
    })
    await story.expectRefusal('home', foreignAddress)
  }
})
