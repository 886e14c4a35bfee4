//
//         +---------------+
//         |      ISP      |      198.51.100.0/28
//         |  S1       S2  |      a DOTS server for each attachment
//         +---+-------+---+
//         wan1|       |wan2
//            ++-------++
//            |   CPE   |         the DOTS client is on the CPE
//            +---------+
//
// RFC 9284 §4.4, §5.4: distinct servers. The client may ask one or all: ours has a session with each and asks all, so that no
// choice of an attachment leaves one unprotected. Coordination of the servers is the provider's.

import { foreignAddress } from '../multihomed/providers.ts'
import { multihomed } from '../multihomed/scenario.ts'
import type { Scenario } from '../scenario.ts'

export const scenario: Scenario = multihomed({
  name: 'single-isp-distinct-servers',
  summary: 'RFC 9284 §5.4: two attachments to one provider with a server for each',
  topology: {
    providers: [
      {
        name: 'isp',
        prefix: '198.51.100.0/28',
        servers: { 'dots1.isp.example': '192.0.2.1', 'dots2.isp.example': '192.0.2.2' }
      }
    ],
    cpes: [{ name: 'cpe', uplinks: ['isp', 'isp'] }],
    hosts: [],
    clients: [{ name: 'home', on: 'cpe', providers: ['isp'] }]
  },
  story: async (story) => {
    await story.untilSessionsStand()
    const one = await story.protect('home', '198.51.100.2/32')
    await story.expectAsked(one, {
      'dots1.isp.example': ['198.51.100.2/32'],
      'dots2.isp.example': ['198.51.100.2/32']
    })
    await story.expectRefusal('home', foreignAddress)
  }
})
