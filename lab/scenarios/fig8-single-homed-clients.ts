//
//       +--------+
//       |Client 1|--------+--------[CPE]------ ISP1 with S1
//       +--------+        |          |
//       +--------+        |          +-------- ISP2 with S2
//       |Client 2|--------+
//       +--------+                 Client 1 has a session with S1 only, client 2 with S2 only
//
// RFC 9284 Figure 8: both clients hear the alarms of the whole site, and each has a prefix filter that decides which of them it
// reacts to (§5.2). Of the own prefix of the site each takes one half; all else is the other's, and nothing leaves the host.

import { isp1, isp2 } from '../multihomed/providers.ts'
import { multihomed } from '../multihomed/scenario.ts'
import type { Scenario } from '../scenario.ts'

export const scenario: Scenario = multihomed({
  name: 'fig8-single-homed-clients',
  summary: 'RFC 9284 Figure 8: a client for each provider, and none knows of the other',
  topology: {
    providers: [isp1, isp2],
    cpes: [{ name: 'cpe', uplinks: ['isp1', 'isp2'] }],
    hosts: ['host1', 'host2'],
    clients: [
      { name: 'client1', on: 'host1', providers: ['isp1'], filter: [isp1.prefix, '198.18.7.0/25'] },
      { name: 'client2', on: 'host2', providers: ['isp2'], filter: [isp2.prefix, '198.18.7.128/25'] }
    ],
    ownPrefix: '198.18.7.0/24'
  },
  story: async (story) => {
    await story.untilSessionsStand()
    const one = await story.protect('client1', '198.51.100.2/32')
    await story.expectAsked(one, { 'dots.isp1.example': ['198.51.100.2/32'] })
    const other = await story.protect('client2', '203.0.113.18/32')
    await story.expectAsked(other, { 'dots.isp2.example': ['203.0.113.18/32'] })
    await story.expectRefusal('client1', '203.0.113.25/32')
    await story.expectRefusal('client1', '198.18.7.200/32')
    const own = await story.protect('client2', '198.18.7.129/32')
    await story.expectAsked(own, { 'dots.isp2.example': ['198.18.7.129/32'] })
  }
})
