//
//            +-----+
//            | ISP |             198.51.100.0/28, one DOTS server
//            +-+-+-+
//          wan1| |wan2           two attachments
//            +-+-+-+
//            | CPE |             the DOTS client is on the CPE
//            +-----+
//
// RFC 9284 §4.4, §5.4: the same server for all attachments. It is asked once, over one of them, from an address that belongs to
// that attachment.

import { foreignAddress } from '../multihomed/providers.ts'
import { multihomed } from '../multihomed/scenario.ts'
import type { Scenario } from '../scenario.ts'

export const scenario: Scenario = multihomed({
  name: 'single-isp-same-server',
  summary: 'RFC 9284 §5.4: two attachments to one provider with one server',
  topology: {
    providers: [
      {
        name: 'isp',
        prefix: '198.51.100.0/28',
        servers: { 'dots.isp.example': '192.0.2.1' }
      }
    ],
    cpes: [{ name: 'cpe', uplinks: ['isp', 'isp'] }],
    hosts: [],
    clients: [{ name: 'home', on: 'cpe', providers: ['isp'] }]
  },
  story: async (story) => {
    await story.untilSessionsStand()
    const one = await story.protect('home', '198.51.100.2/32')
    await story.expectAsked(one, { 'dots.isp.example': ['198.51.100.2/32'] })
    await story.expectRefusal('home', foreignAddress)
  }
})
