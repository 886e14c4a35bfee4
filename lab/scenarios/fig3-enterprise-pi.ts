//
//       +------+      +------+
//       | ISP1 |      | ISP2 |   both announce 198.18.7.0/24, the own prefix of the site (PI)
//       +--+---+      +---+--+
//          +----+    +----+
//            +--+----+--+
//            |   CPE    |        the DOTS client is on the CPE
//            +----+-----+
//                 |              internal network
//
// RFC 9284 Figure 3 with provider-independent addresses: all servers are asked (§5.2), and nobody waits for anybody. How long
// each takes alone is measured first; both together take as long as the slower one, and a fifth at most (the middle one of several rounds).

import { clientOnCpeWithOwnPrefix } from '../multihomed/client-on-cpe.ts'
import { multihomed } from '../multihomed/scenario.ts'
import type { Asked, ParallelRound } from '../multihomed/story.ts'
import type { Scenario } from '../scenario.ts'

/** Odd, for one to be in the middle. */
const ROUNDS = 5

/** Longer than the pacing of RFC 9132 §4.4 holds a request back after another one: that wait is not what is measured. */
const PAUSE_SECONDS = 0.5

export const scenario: Scenario = multihomed({
  name: 'fig3-enterprise-pi',
  summary: 'RFC 9284 Figure 3: an address of the site itself (PI) is asked of all servers, in parallel',
  isToldAtOnce: true,
  // Far longer than what a machine takes for a request: who waits for another is seen to wait.
  topology: { ...clientOnCpeWithOwnPrefix, roundTripMilliseconds: 300 },
  story: async (story) => {
    await story.untilSessionsStand()
    const protectAfterPause = async (target: string): Promise<Asked> => {
      await story.world.pass(PAUSE_SECONDS)
      return story.protect('home', target)
    }
    const rounds: ParallelRound[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const target = { isp1: `198.51.100.${2 + round}/32`, isp2: `203.0.113.${18 + round}/32` }
      const one = await protectAfterPause(target.isp1)
      await story.expectAsked(one, { 'dots.isp1.example': [target.isp1] })
      const other = await protectAfterPause(target.isp2)
      await story.expectAsked(other, { 'dots.isp2.example': [target.isp2] })
      const shared = `198.18.7.${7 + round}/32`
      const all = await protectAfterPause(shared)
      await story.expectAsked(all, { 'dots.isp1.example': [shared], 'dots.isp2.example': [shared] })
      rounds.push({ all, alone: [one, other] })
    }
    story.expectParallel(rounds)
  }
})
