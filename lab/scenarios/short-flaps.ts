//
//       +------+      +------+
//       | ISP1 |      | ISP2 |   198.51.100.0/28   203.0.113.16/28
//       +--+---+      +---+--+   own prefix 198.18.7.0/24
//          |              |
//      wan1|              |wan2
//        +-+--------------+-+
//        |       CPE        |    the DOTS client is on the CPE
//        +------------------+
//
//
// The cable to ISP1 has a loose contact: in the middle of an attack its carrier goes and comes a thousand times (in namespaces 30
// times). Afterwards everything is as if it had not: the same sessions, the same requests with the same numbers, and nothing more.

import { clientOnCpeWithOwnPrefix } from '../multihomed/client-on-cpe.ts'
import { multihomed } from '../multihomed/scenario.ts'
import type { Scenario } from '../scenario.ts'

const FLAPS = { sim: 1000, netns: 30, loopback: 0 } as const
const FLAP_SECONDS = 0.1

export const scenario: Scenario = multihomed({
  name: 'short-flaps',
  summary: 'an uplink flaps in an attack, and leaves the same state as if it had not',
  topology: clientOnCpeWithOwnPrefix,
  story: async (story) => {
    await story.untilSessionsStand()
    const one = await story.protect('home', '198.51.100.2/32')
    await story.expectProtected(one)
    const own = await story.protect('home', '198.18.7.7/32')
    await story.expectProtected(own)
    const before = await story.holdings('home')
    for (let left = FLAPS[story.world.backend]; left > 0; left--) {
      await story.world.setLinks('isp1', 'cut')
      await story.world.pass(FLAP_SECONDS)
      await story.world.setLinks('isp1', 'clear')
      await story.world.pass(FLAP_SECONDS)
    }
    await story.expectStillProtected(one)
    await story.expectHoldings('home', before)
    const after = await story.protect('home', '198.51.100.3/32')
    await story.expectAsked(after, { 'dots.isp1.example': ['198.51.100.3/32'] })
  }
})
