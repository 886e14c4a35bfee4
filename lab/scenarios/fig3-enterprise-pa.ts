//
//       +------+      +------+
//       | ISP1 |      | ISP2 |   198.51.100.0/28   203.0.113.16/28
//       +--+---+      +---+--+
//          +----+    +----+
//            +--+----+--+
//            |   CPE    |        the DOTS client is on the CPE
//            +----+-----+
//                 |              internal network, with addresses of both providers (PA)
//
// RFC 9284 Figure 3 with provider-aggregatable addresses. Whole prefixes and parts of them are attacked, in one protection:
// each server hears of its own part only, although they are asked at the same time (§5.1, §6).

import { clientOnCpe } from '../multihomed/client-on-cpe.ts'
import { multihomed } from '../multihomed/scenario.ts'
import type { Scenario } from '../scenario.ts'

export const scenario: Scenario = multihomed({
  name: 'fig3-enterprise-pa',
  summary: 'RFC 9284 Figure 3: an enterprise with addresses of both providers (PA)',
  topology: clientOnCpe,
  story: async (story) => {
    await story.untilSessionsStand()
    const whole = await story.protect('home', '198.51.100.0/28', '203.0.113.20/31')
    await story.expectAsked(whole, {
      'dots.isp1.example': ['198.51.100.0/28'],
      'dots.isp2.example': ['203.0.113.20/31']
    })
    await story.release(whole)
    const several = await story.protect('home', '203.0.113.24/32', '203.0.113.26/32')
    await story.expectAsked(several, { 'dots.isp2.example': ['203.0.113.24/32', '203.0.113.26/32'] })
  }
})
