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

import { isp1, isp2 } from '../multihomed/providers.ts'
import { multihomed } from '../multihomed/scenario.ts'
import type { Scenario } from '../scenario.ts'

export const scenario: Scenario = multihomed({
  name: 'link-cut',
  summary:
    'the carrier of an uplink goes away in an attack: nobody else is asked, and it is asked when it is back',
  topology: {
    providers: [isp1, isp2],
    cpes: [{ name: 'cpe', uplinks: ['isp1', 'isp2'] }],
    hosts: [],
    clients: [{ name: 'home', on: 'cpe', providers: ['isp1', 'isp2'] }],
    ownPrefix: '198.18.7.0/24'
  },
  story: async (story) => {
    await story.untilSessionsStand()
    await story.world.setLinks('isp1', 'cut')
    const lost = await story.protect('home', '198.51.100.2/32')
    const spared = await story.protect('home', '203.0.113.18/32')
    const own = await story.protect('home', '198.18.7.7/32')
    await story.expectAsked(spared, { 'dots.isp2.example': ['203.0.113.18/32'] })
    await story.expectNobodyElseAsked(lost)
    await story.expectNobodyElseAsked(own, ['dots.isp2.example'])
    await story.world.setLinks('isp1', 'clear')
    story.figures['protectedAfterHealingSeconds'] = await story.expectProtected(lost)
    await story.expectProtected(own)
    await story.expectStillProtected(spared)
  }
})
