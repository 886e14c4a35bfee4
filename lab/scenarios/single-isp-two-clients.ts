//
//            +-----+
//            | ISP |             198.51.100.0/28, one DOTS server
//            +-+-+-+
//         +----+ +----+
//      +--+---+   +---+--+
//      | CPE1 |   | CPE2 |       a DOTS client on each
//      +------+   +------+
//
// RFC 9284 §4.4, §5.4: both clients may ask for everything that the provider assigned. Each asks for what is attacked behind it, and
// what the one does leaves the other's request alone.

import { foreignAddress } from '../multihomed/providers.ts'
import { multihomed } from '../multihomed/scenario.ts'
import type { Scenario } from '../scenario.ts'

export const scenario: Scenario = multihomed({
  name: 'single-isp-two-clients',
  summary: 'RFC 9284 §5.4: two CPEs at one provider, with a client on each',
  topology: {
    providers: [
      {
        name: 'isp',
        prefix: '198.51.100.0/28',
        servers: { 'dots.isp.example': '192.0.2.1' }
      }
    ],
    cpes: [
      { name: 'cpe1', uplinks: ['isp'] },
      { name: 'cpe2', uplinks: ['isp'] }
    ],
    hosts: [],
    clients: [
      { name: 'client1', on: 'cpe1', providers: ['isp'] },
      { name: 'client2', on: 'cpe2', providers: ['isp'] }
    ]
  },
  story: async (story) => {
    await story.untilSessionsStand()
    const one = await story.protect('client1', '198.51.100.2/32')
    await story.expectAsked(one, { 'dots.isp.example': ['198.51.100.2/32'] })
    const other = await story.protect('client2', '198.51.100.3/32')
    await story.expectAsked(other, { 'dots.isp.example': ['198.51.100.3/32'] })
    await story.release(other)
    await story.expectStillProtected(one)
    await story.expectRefusal('client1', foreignAddress)
  }
})
