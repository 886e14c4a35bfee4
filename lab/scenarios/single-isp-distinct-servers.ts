//
//         +---------------+
//         |      ISP      |      198.51.100.0/28
//         |  S1-store-S2  |      a DOTS server for each attachment; they share a store
//         +---+-------+---+
//         wan1|       |wan2
//            ++-------++
//            |   CPE   |         the DOTS client is on the CPE
//            +---------+
//
// RFC 9284 §4.4, §5.4: distinct servers, which coordinate. The client MAY select one or all attachments: here one, and all when its
// configuration is changed. What is asked over the first is known at both, by one mid; when that link is cut it stays in force
// and is refreshed over the second. What is asked over both is one mitigation, and one withdrawal ends it.

import { foreignAddress } from '../multihomed/providers.ts'
import { multihomed } from '../multihomed/scenario.ts'
import {
  expectEndedEverywhere,
  expectInForceOver,
  expectOneMitigation,
  expectRefreshedAt,
  setLink
} from '../multihomed/shared-store.ts'
import type { Topology } from '../multihomed/topology.ts'
import type { Scenario } from '../scenario.ts'

const FIRST = 'dots1.isp.example'
const SECOND = 'dots2.isp.example'
const BOTH = [FIRST, SECOND] as const

/** An attempt that failed is repeated after 60 s (RFC 9132 §4.7), and a handshake takes a moment. */
const SESSIONS_WITHIN_SECONDS = 75

export const scenario: Scenario = multihomed({
  name: 'single-isp-distinct-servers',
  summary: 'RFC 9284 §5.4: two attachments to one provider with a server for each, which share a store',
  isToldAtOnce: true,
  topology: {
    providers: [
      {
        name: 'isp',
        prefix: '198.51.100.0/28',
        servers: { [FIRST]: '192.0.2.1', [SECOND]: '192.0.2.2' },
        sharesStore: true
      }
    ],
    cpes: [{ name: 'cpe', uplinks: ['isp', 'isp'] }],
    hosts: [],
    clients: [{ name: 'home', on: 'cpe', providers: ['isp'], attachments: 'one' }]
  },
  story: async (story) => {
    await story.untilSessionsStand()
    const one = await story.protect('home', '198.51.100.2/32')
    await expectInForceOver(story, one, { 'isp-1': FIRST })
    await expectOneMitigation(story, one, BOTH)
    await story.expectRefusal('home', foreignAddress)

    await setLink(story, 1, 'cut')
    story.figures['refreshedSeconds'] = await expectRefreshedAt(story, one, SECOND)
    await setLink(story, 1, 'clear')
    await story.expectSessions(SESSIONS_WITHIN_SECONDS)

    await story.world.redraw('home', overAll(story.topology))
    const all = await story.protect('home', '198.51.100.4/32')
    for (const each of [one, all]) {
      await expectInForceOver(story, each, { 'isp-1': FIRST, 'isp-2': SECOND })
      await expectOneMitigation(story, each, BOTH)
    }
    for (const each of [one, all]) await expectEndedEverywhere(story, each)
  }
})

/** The drawing with a client that asks over all links. */
function overAll(topology: Topology): Topology {
  return { ...topology, clients: topology.clients.map((client) => ({ ...client, attachments: 'all' })) }
}
