//
//       +------+      +------+
//       | ISP1 |      | ISP2 |   198.51.100.0/28   203.0.113.16/28
//       +--+---+      +---+--+
//          |              |
//       +--+---+      +---+--+
//       | CPE1 |      | CPE2 |   a DOTS client on each
//       +--+---+      +---+--+
//          +------+-------+      internal network, own prefix 198.18.7.0/24
//
// RFC 9284 Figure 4 with a client on every CPE: each has its own provider and a filter for the alarms that it reacts to. The own
// prefix of the site is in both filters, so that both servers are asked for it (§5.2).

import { isp1, isp2 } from '../multihomed/providers.ts'
import { multihomed } from '../multihomed/scenario.ts'
import type { Scenario } from '../scenario.ts'

export const scenario: Scenario = multihomed({
  name: 'fig4-clients-on-both-cpes',
  summary: 'RFC 9284 Figure 4: a client on each of two CPEs, for the provider of that CPE',
  topology: {
    providers: [isp1, isp2],
    cpes: [
      { name: 'cpe1', uplinks: ['isp1'] },
      { name: 'cpe2', uplinks: ['isp2'] }
    ],
    hosts: [],
    clients: [
      { name: 'client1', on: 'cpe1', providers: ['isp1'], filter: [isp1.prefix, '198.18.7.0/24'] },
      { name: 'client2', on: 'cpe2', providers: ['isp2'], filter: [isp2.prefix, '198.18.7.0/24'] }
    ],
    ownPrefix: '198.18.7.0/24'
  },
  story: async (story) => {
    await story.untilSessionsStand()
    const one = await story.protect('client1', '198.51.100.2/32')
    await story.expectAsked(one, { 'dots.isp1.example': ['198.51.100.2/32'] })
    await story.expectRefusal('client1', '203.0.113.25/32')
    const own = await story.protect('client1', '198.18.7.7/32')
    await story.expectAsked(own, { 'dots.isp1.example': ['198.18.7.7/32'] })
    const too = await story.protect('client2', '198.18.7.7/32')
    await story.expectAsked(too, { 'dots.isp2.example': ['198.18.7.7/32'] })
  }
})
