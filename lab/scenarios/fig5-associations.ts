//
//                           +----+
//              +------------| S1 |   ISP1: 198.51.100.0/28
//              |            +----+
//       +------+-----+
//       | DOTS client|
//       |   on CPE   |
//       +------+-----+
//              |            +----+
//              +------------| S2 |   ISP2: 203.0.113.16/28
//                           +----+
//
// RFC 9284 Figure 5: sessions are established with every server and maintained, because each may help with its own part
// only (§5.1). The name server of each provider knows its own DOTS server and no other. Peace first: some seconds where time is real, an hour where it is not.

import { clientOnCpeByName } from '../multihomed/client-on-cpe.ts'
import { multihomed } from '../multihomed/scenario.ts'
import type { Scenario } from '../scenario.ts'

export const scenario: Scenario = multihomed({
  name: 'fig5-associations',
  summary: 'RFC 9284 Figure 5: the associations of a client on the CPE last through an hour of peace',
  topology: clientOnCpeByName,
  story: async (story) => {
    await story.untilSessionsStand()
    await story.world.pass(story.world.backend === 'sim' ? 3600 : 5)
    await story.untilSessionsStand()
    story.expectOwnResolversAsked()
    const one = await story.protect('home', '198.51.100.2/32')
    await story.expectAsked(one, { 'dots.isp1.example': ['198.51.100.2/32'] })
    const both = await story.protect('home', '198.51.100.4/32', '203.0.113.18/32')
    await story.expectAsked(both, {
      'dots.isp1.example': ['198.51.100.4/32'],
      'dots.isp2.example': ['203.0.113.18/32']
    })
  }
})
