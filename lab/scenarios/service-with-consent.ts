//
//       +------+      +-------------+      +------+
//       | ISP1 |------|   internet  |------| ISP2 |   198.51.100.0/28   203.0.113.16/28
//       +--+---+      +------+------+      +---+--+   own prefix 198.18.7.0/24
//          |                 |                 |
//      wan1|             +---+---+             |wan2
//          |             | SCRUB |  two servers that stand in for one another (a pool)
//          |             +-------+             |
//        +-+-----------------------------------+-+
//        |                  CPE                  |    the DOTS client is on the CPE
//        +---------------------------------------+
//
// A mitigation service of a third party has no link of its own (RFC 9284 §4): it is reached over the providers. It is asked about
// the own prefix of the site like everybody; of what ISP1 assigned only about the half to which ISP1's customer consented (§6);
// of ISP2 it hears nothing. One server of its pool is asked.

import { clientOnCpeWithOwnPrefix } from '../multihomed/client-on-cpe.ts'
import { isp1, isp2 } from '../multihomed/providers.ts'
import { multihomed } from '../multihomed/scenario.ts'
import type { ProviderPlan } from '../multihomed/topology.ts'
import type { Scenario } from '../scenario.ts'

const scrub: ProviderPlan = {
  name: 'scrub',
  prefix: '192.0.2.64/28',
  servers: { 'one.scrub.example': '192.0.2.65', 'two.scrub.example': '192.0.2.66' },
  isPool: true,
  protects: ['198.18.7.0/24']
}

export const scenario: Scenario = multihomed({
  name: 'service-with-consent',
  summary: "a mitigation service hears of the own prefix, and of a provider's only with consent",
  topology: {
    ...clientOnCpeWithOwnPrefix,
    providers: [isp1, isp2, scrub],
    clients: [{ name: 'home', on: 'cpe', providers: ['isp1', 'isp2', 'scrub'] }],
    consents: [{ of: 'isp1', to: 'scrub', prefix: '198.51.100.0/29' }]
  },
  story: async (story) => {
    await story.untilSessionsStand()
    const own = await story.protect('home', '198.18.7.7/32')
    await story.expectAsked(own, {
      'dots.isp1.example': ['198.18.7.7/32'],
      'dots.isp2.example': ['198.18.7.7/32'],
      'one.scrub.example': ['198.18.7.7/32']
    })
    const consented = await story.protect('home', '198.51.100.2/32')
    await story.expectAsked(consented, {
      'dots.isp1.example': ['198.51.100.2/32'],
      'one.scrub.example': ['198.51.100.2/32']
    })
    const other = await story.protect('home', '198.51.100.9/32', '203.0.113.18/32')
    await story.expectAsked(other, {
      'dots.isp1.example': ['198.51.100.9/32'],
      'dots.isp2.example': ['203.0.113.18/32']
    })
  }
})
