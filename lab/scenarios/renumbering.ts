//
//       +------+      +------+
//       | ISP1 |      | ISP2 |   198.51.100.0/28, then 198.51.100.32/28     203.0.113.16/28
//       +--+---+      +---+--+
//          |              |
//      wan1|              |wan2
//        +-+--------------+-+
//        |   CPE with NAT   |    the DOTS client is on the CPE
//        +--------+---------+
//                 |              10.9.0.0/28 inside, one to one for each provider
//
// An internal host is attacked; servers know it by what the world sees (RFC 9132 §3), each by the address that its own provider
// assigned. Then ISP1 gives the site another prefix. Its server is asked for the new address before the old one is withdrawn, and
// ISP2, who has nothing to do with it, hears nothing (RFC 9284 §5.1, §6).

import { clientOnCpe } from '../multihomed/client-on-cpe.ts'
import { isp1, isp2 } from '../multihomed/providers.ts'
import { multihomed } from '../multihomed/scenario.ts'
import { renumbered } from '../multihomed/topology.ts'
import type { Scenario } from '../scenario.ts'

export const scenario: Scenario = multihomed({
  name: 'renumbering',
  summary:
    'a provider gives another prefix in an attack: the new address is asked before the old is withdrawn',
  topology: {
    ...clientOnCpe,
    providers: [{ ...isp1, nextPrefix: '198.51.100.32/28' }, isp2],
    internal: '10.9.0.0/28'
  },
  story: async (story) => {
    await story.untilSessionsStand()
    const host = await story.protect('home', '10.9.0.2/32')
    await story.expectPlaced(host, {
      'dots.isp1.example': ['198.51.100.2/32'],
      'dots.isp2.example': ['203.0.113.18/32']
    })
    const since = story.world.now()
    await story.world.redraw('home', renumbered(story.topology, 'isp1'))
    story.figures['askedAfterSeconds'] = await story.expectHeardNext(since, [
      'dots.isp1.example PUT 198.51.100.34/32',
      'dots.isp1.example DELETE'
    ])
    await story.expectStillProtected(host)
    await story.untilSessionsStand()
  }
})
