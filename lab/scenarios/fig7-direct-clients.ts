//
//       +--------+
//       |Client 1|--------+--------[CPE]------ ISP1 with S1
//       +--------+        |          |
//       +--------+        |          +-------- ISP2 with S2
//       |Client 2|--------+
//       +--------+                 internal network: both clients have an address of each provider
//
// RFC 9284 Figure 7: no gateway; each client speaks with every server, from the address that this server's provider assigned,
// and the CPE sends each source out of its own provider. The own prefix of the site is 198.18.7.0/24.

import { foreignAddress, isp1, isp2 } from '../multihomed/providers.ts'
import { multihomed } from '../multihomed/scenario.ts'
import type { Scenario } from '../scenario.ts'

export const scenario: Scenario = multihomed({
  name: 'fig7-direct-clients',
  summary:
    'RFC 9284 Figure 7: clients in the internal network have sessions with the servers of both providers',
  topology: {
    providers: [isp1, isp2],
    cpes: [{ name: 'cpe', uplinks: ['isp1', 'isp2'] }],
    hosts: ['host1', 'host2'],
    clients: [
      { name: 'client1', on: 'host1', providers: ['isp1', 'isp2'] },
      { name: 'client2', on: 'host2', providers: ['isp1', 'isp2'] }
    ],
    ownPrefix: '198.18.7.0/24'
  },
  story: async (story) => {
    await story.untilSessionsStand()
    const one = await story.protect('client1', '198.51.100.2/32')
    await story.expectAsked(one, { 'dots.isp1.example': ['198.51.100.2/32'] })
    const other = await story.protect('client1', '203.0.113.18/32')
    await story.expectAsked(other, { 'dots.isp2.example': ['203.0.113.18/32'] })
    const both = await story.protect('client1', '198.51.100.3/32', '203.0.113.19/32')
    await story.expectAsked(both, {
      'dots.isp1.example': ['198.51.100.3/32'],
      'dots.isp2.example': ['203.0.113.19/32']
    })
    await story.expectRefusal('client1', foreignAddress)

    const own = await story.protect('client2', '198.18.7.7/32')
    await story.expectAsked(own, {
      'dots.isp1.example': ['198.18.7.7/32'],
      'dots.isp2.example': ['198.18.7.7/32']
    })
  }
})
