//
//       +------+      +------+
//       | ISP1 |      | ISP2 |   198.51.100.0/28   203.0.113.16/28
//       +--+---+      +---+--+
//          |              |
//      wan1|              |wan2
//        +-+--------------+-+
//        |       CPE        |    the DOTS client is on the CPE
//        +------------------+
//
//
// The client knows servers by their names. When it starts, any of these is missing: the uplink to ISP1, its name server, its DOTS
// server, the right clock. What ISP1 assigned waits and is asked of nobody else. Uplink, names and clock: once they are there, it
// is asked within 10 s, without a restart, because a client that sent nothing need not keep away (RFC 9132 §4.7). A DOTS server that
// did not answer is asked again after the retry interval.

import { clientOnCpeByName } from '../multihomed/client-on-cpe.ts'
import { multihomed } from '../multihomed/scenario.ts'
import type { StartPart } from '../multihomed/world.ts'
import type { Scenario } from '../scenario.ts'

const parts: readonly StartPart[] = ['uplink', 'dns', 'server', 'clock']
/** All of them in virtual time. */
const subsets = Array.from({ length: 2 ** parts.length }, (_, bits) =>
  parts.filter((_part, index) => (bits & (2 ** index)) !== 0)
)
const few: readonly (readonly StartPart[])[] = [['uplink'], ['dns'], ['server'], ['clock']]

/** The worlds of the lab have the shortest retry interval that there may be, 60 s, counted from the start of attempts; and a handshake. */
const withinSeconds = (missing: readonly StartPart[]): number => (missing.includes('server') ? 65 : 10)

export const scenario: Scenario = multihomed({
  name: 'missing-at-start',
  summary:
    'a client starts without uplink, names, server or right clock of a provider, and finds it when it comes',
  topology: clientOnCpeByName,
  starts: (backend) => (backend === 'sim' ? subsets : few),
  story: async (story, missing) => {
    await story.world.pass(story.world.backend === 'sim' ? 200 : 3)
    const asked = await story.protect('home', '198.51.100.2/32')
    if (missing.length > 0) await story.expectNobodyElseAsked(asked)
    for (const part of missing) await story.world.heal(part)
    story.figures['recoverySeconds'] = await story.expectProtected(asked, withinSeconds(missing))
    await story.untilSessionsStand()
    const other = await story.protect('home', '203.0.113.18/32')
    await story.expectAsked(other, { 'dots.isp2.example': ['203.0.113.18/32'] })
  }
})
