import type { Story } from './story.ts'
import type { MultihomedWorld } from './world.ts'

/**
 * What must happen at `clientOnCpeWithOwnPrefix` when isp1 is out of reach during an attack, in whatever way: what it
 * assigned waits and is asked of nobody else (RFC 9284 §5.1), all else is asked of whom can be reached, and after the cut
 * what waited is asked for by itself.
 */
export function isp1OutOfReach(
  cut: (world: MultihomedWorld) => Promise<void>,
  heal: (world: MultihomedWorld) => Promise<void>
): (story: Story) => Promise<void> {
  return async (story) => {
    await story.untilSessionsStand()
    await cut(story.world)
    const lost = await story.protect('home', '198.51.100.2/32')
    const spared = await story.protect('home', '203.0.113.18/32')
    const own = await story.protect('home', '198.18.7.7/32')
    await story.expectAsked(spared, { 'dots.isp2.example': ['203.0.113.18/32'] })
    await story.expectNobodyElseAsked(lost)
    await story.expectNobodyElseAsked(own, ['dots.isp2.example'])
    await heal(story.world)
    story.figures['protectedAfterHealingSeconds'] = await story.expectProtected(lost)
    await story.expectProtected(own)
    await story.expectStillProtected(spared)
  }
}
