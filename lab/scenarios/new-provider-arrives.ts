//
//       +------+      +------+
//       | ISP1 |      | ISP2 |   198.51.100.0/28   203.0.113.16/28
//       +--+---+      +---+--+   own prefix 198.18.7.0/24
//          |              :
//      wan1|              :wan2  a contract, and then a link
//        +-+--------------+-+
//        |       CPE        |    the DOTS client is on the CPE
//        +------------------+
//
//
// The site has one provider and is attacked. Then a second one is connected: it becomes a domain of the running client, a session is
// established with its server (RFC 9284 §5.1), which is asked at once for the attacked address of the site itself (§5.2), and for
// nothing of ISP1's.

import { clientOnCpeWithOwnPrefix } from '../multihomed/client-on-cpe.ts'
import { multihomed } from '../multihomed/scenario.ts'
import { grown } from '../multihomed/topology.ts'
import type { Scenario } from '../scenario.ts'

export const scenario: Scenario = multihomed({
  name: 'new-provider-arrives',
  summary: 'a second provider is connected in an attack: its server is asked at once for what it may know',
  topology: {
    ...clientOnCpeWithOwnPrefix,
    clients: [{ name: 'home', on: 'cpe', providers: ['isp1'], laterProviders: ['isp2'] }]
  },
  story: async (story) => {
    await story.world.setLinks('isp2', 'cut')
    await story.untilSessionsStand()
    const one = await story.protect('home', '198.51.100.2/32')
    await story.expectAsked(one, { 'dots.isp1.example': ['198.51.100.2/32'] })
    const own = await story.protect('home', '198.18.7.7/32')
    await story.expectAsked(own, { 'dots.isp1.example': ['198.18.7.7/32'] })
    await story.world.setLinks('isp2', 'clear')
    const since = story.world.now()
    await story.world.redraw('home', grown(story.topology))
    story.figures['askedAfterSeconds'] = await story.expectHeardNext(since, [
      'dots.isp2.example PUT 198.18.7.7/32'
    ])
    const other = await story.protect('home', '203.0.113.18/32')
    await story.expectAsked(other, { 'dots.isp2.example': ['203.0.113.18/32'] })
    await story.expectStillProtected(one)
    await story.expectStillProtected(own)
  }
})
