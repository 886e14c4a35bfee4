//
//            +-----+
//            | ISP |             198.51.100.0/28, one DOTS server
//            +-+-+-+
//          wan1| |wan2           two attachments: a session over the one, another that stands by over the other
//            +-+-+-+
//            | CPE |             the DOTS client is on the CPE, heartbeats every 15 s
//            +-----+
//
// On the link in use packets vanish in both directions, and no interface says so. A request without an answer is asked over the
// second path, too, and is there less than 4 s after it was asked first; in peace a heartbeat without an answer does the same, at
// the latest an interval and 4 s after the cut. No handshake is waited for: the second session stands (RFC 9132 §4.7).

import { multihomed } from '../multihomed/scenario.ts'
import { cutWayInUse, mendWays, untilSecondIsUsed, untilSecondStandsBy } from '../multihomed/second-path.ts'
import type { Scenario } from '../scenario.ts'

/** The least that RFC 9132 §4.5.2 finds acceptable. */
const HEARTBEAT_SECONDS = 15
const MOVED_WITHIN_SECONDS = 4
/** Cuts in peace, each at another moment between two heartbeats; where time is real, the one has to do. */
const PEACEFUL_CUTS = { sim: 4, netns: 1, loopback: 0 } as const

export const scenario: Scenario = multihomed({
  name: 'silent-cut',
  summary: 'packets of the link in use vanish: what is asked goes over a session that stands by on another',
  isToldAtOnce: true,
  topology: {
    providers: [{ name: 'isp', prefix: '198.51.100.0/28', servers: { 'dots.isp.example': '192.0.2.1' } }],
    cpes: [{ name: 'cpe', uplinks: ['isp', 'isp'] }],
    hosts: [],
    clients: [
      { name: 'home', on: 'cpe', providers: ['isp'], standsBy: { heartbeatSeconds: HEARTBEAT_SECONDS } }
    ]
  },
  story: async (story) => {
    const server = { 'dots.isp.example': ['198.51.100.2/32'] }
    await story.untilSessionsStand()
    await untilSecondStandsBy(story, 'home')
    await cutWayInUse(story, 'home')
    const asked = await story.protect('home', '198.51.100.2/32')
    await story.expectAsked(asked, server)
    const moved = story.secondsUntilAsked(asked, asked.atMs)
    story.figures['requestMovedSeconds'] = moved
    story.expect('what was not answered is asked over the second path', moved < MOVED_WITHIN_SECONDS)
    await mendWays(story)
    await story.release(asked)

    const idle: number[] = []
    for (let round = 0; round < PEACEFUL_CUTS[story.world.backend]; round++) {
      await untilSecondStandsBy(story, 'home')
      await story.world.pass(4 * round)
      await cutWayInUse(story, 'home')
      idle.push(await untilSecondIsUsed(story, 'home', HEARTBEAT_SECONDS + MOVED_WITHIN_SECONDS))
      const next = await story.protect('home', '198.51.100.2/32')
      await story.expectAsked(next, server)
      await mendWays(story)
      await story.release(next)
    }
    story.figures['idleMovedSeconds'] = Math.max(...idle)
  }
})
