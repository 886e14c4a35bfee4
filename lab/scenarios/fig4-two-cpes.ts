//
//       +------+      +------+
//       | ISP1 |      | ISP2 |   198.51.100.0/28   203.0.113.16/28
//       +--+---+      +---+--+
//          |              |
//       +--+---+      +---+--+
//       | CPE1 |      | CPE2 |
//       +--+---+      +---+--+
//          +------+-------+      internal network
//            +----+-----+
//            | client 1 |        with an address of each provider
//            +----------+
//
// RFC 9284 Figure 4: the host chooses the next hop by its source address, so that each session passes the CPE of its own
// provider. All else is as with a single CPE.

import { foreignAddress, isp1, isp2 } from '../multihomed/providers.ts'
import { multihomed } from '../multihomed/scenario.ts'
import type { Scenario } from '../scenario.ts'

export const scenario: Scenario = multihomed({
  name: 'fig4-two-cpes',
  summary: 'RFC 9284 Figure 4: a client behind two CPEs, each with a provider of its own',
  topology: {
    providers: [isp1, isp2],
    cpes: [
      { name: 'cpe1', uplinks: ['isp1'] },
      { name: 'cpe2', uplinks: ['isp2'] }
    ],
    hosts: ['host1'],
    clients: [{ name: 'client1', on: 'host1', providers: ['isp1', 'isp2'] }]
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
  }
})
