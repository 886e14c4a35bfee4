import type { Story } from './story.ts'
import type { MultihomedWorld } from './world.ts'

/** Longer than heartbeats are missed before a session counts as lost, where time costs nothing. */
const PEACE_SECONDS = 3600

/** The retry interval of the lab's worlds, from the start of one attempt to the start of the next, and a handshake. */
const RETRY_SECONDS = 60 + 5

/**
 * In virtual time, before any attack: the way is cut for an hour and healed. A client that was told of the carrier sent
 * nothing meanwhile and is back within seconds; one that was not has to keep the retry interval (RFC 9132 §4.7).
 */
async function peaceWithoutIsp1(
  story: Story,
  cut: (world: MultihomedWorld) => Promise<void>,
  heal: (world: MultihomedWorld) => Promise<void>,
  isTold: boolean
): Promise<void> {
  if (story.world.backend !== 'sim') return
  await cut(story.world)
  await story.world.pass(PEACE_SECONDS)
  await heal(story.world)
  const seconds = await story.expectSessions(isTold ? 10 : RETRY_SECONDS)
  story.figures['sessionsAfterPeaceSeconds'] = seconds
}

/**
 * What must happen at `clientOnCpeWithOwnPrefix` when isp1 is out of reach during an attack, in whatever way: what it
 * assigned waits and is asked of nobody else (RFC 9284 §5.1), all else is asked of whom can be reached, and after the cut
 * what waited is asked for by itself.
 * @param isTold Whether the system of the client knows of the cut.
 */
export function isp1OutOfReach(
  cut: (world: MultihomedWorld) => Promise<void>,
  heal: (world: MultihomedWorld) => Promise<void>,
  isTold: boolean
): (story: Story) => Promise<void> {
  return async (story) => {
    await story.untilSessionsStand()
    await peaceWithoutIsp1(story, cut, heal, isTold)
    await cut(story.world)
    const lost = await story.protect('home', '198.51.100.2/32')
    const spared = await story.protect('home', '203.0.113.18/32')
    const own = await story.protect('home', '198.18.7.7/32')
    await story.expectAsked(spared, { 'dots.isp2.example': ['203.0.113.18/32'] })
    await story.expectNobodyElseAsked(lost)
    await story.expectNobodyElseAsked(own, ['dots.isp2.example'])
    await heal(story.world)
    const healedMs = story.world.now()
    story.figures['protectedAfterHealingSeconds'] = await story.expectProtected(lost)
    story.figures['askedAfterHealingSeconds'] = story.secondsUntilAsked(lost, healedMs)
    await story.expectProtected(own)
    await story.expectStillProtected(spared)
  }
}
