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

import { isp1, isp2 } from '../multihomed/providers.ts'
import { multihomed } from '../multihomed/scenario.ts'
import type { Scenario } from '../scenario.ts'

export const scenario: Scenario = multihomed({
  name: 'provider-cut',
  summary:
    'a whole provider with its server goes away: the other one goes on, and all is asked when it is back',
  topology: {
    providers: [isp1, isp2],
    cpes: [{ name: 'cpe', uplinks: ['isp1', 'isp2'] }],
    hosts: [],
    clients: [{ name: 'home', on: 'cpe', providers: ['isp1', 'isp2'] }],
    ownPrefix: '198.18.7.0/24'
  },
  story: async (story) => {
    await story.untilSessionsStand()
    await story.world.setProvider('isp1', 'cut')
    const lost = await story.protect('home', '198.51.100.2/32')
    const spared = await story.protect('home', '203.0.113.18/32')
    const own = await story.protect('home', '198.18.7.7/32')
    await story.expectAsked(spared, { 'dots.isp2.example': ['203.0.113.18/32'] })
    await story.expectNobodyElseAsked(lost)
    await story.expectNobodyElseAsked(own, ['dots.isp2.example'])
    await story.world.setProvider('isp1', 'clear')
    story.figures['protectedAfterHealingSeconds'] = await story.expectProtected(lost)
    await story.expectProtected(own)
    await story.expectStillProtected(spared)
  }
})
