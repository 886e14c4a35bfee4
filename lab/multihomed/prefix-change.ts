import { isp1, isp2 } from './providers.ts'
import type { Story } from './story.ts'
import { type Topology, renumbered } from './topology.ts'

/** ISP1 has another prefix for the site; both providers translate what is inside, one to one. */
export const prefixChanges: Pick<Topology, 'providers' | 'internal'> = {
  providers: [{ ...isp1, nextPrefix: '198.51.100.32/28' }, isp2],
  internal: '10.9.0.0/28'
}

/**
 * What must happen at such a site when ISP1's prefix changes in an attack on one of two hosts that are protected: ISP1's server is
 * asked for the new addresses before the old ones are withdrawn, for what is attacked first, although it was asked for last before;
 * nobody else hears anything (RFC 9284 §5.1, §6).
 * @param change What happens to the network before the client is told.
 */
export function prefixChangesInAttack(
  change: (story: Story) => Promise<void>,
  withinSeconds?: number
): (story: Story) => Promise<void> {
  return async (story) => {
    await story.untilSessionsStand()
    const calm = await story.protect('home', '10.9.0.2/32')
    await story.expectPlaced(calm, {
      'dots.isp1.example': ['198.51.100.2/32'],
      'dots.isp2.example': ['203.0.113.18/32']
    })
    const attacked = await story.protect('home', '10.9.0.3/32')
    await story.expectPlaced(attacked, {
      'dots.isp1.example': ['198.51.100.3/32'],
      'dots.isp2.example': ['203.0.113.19/32']
    })
    // A server says of either that it mitigates; the operator knows better.
    await story.reportAttack(calm, 'mitigated')
    await story.reportAttack(attacked, 'under-attack')
    const since = story.world.now()
    await change(story)
    await story.world.redraw('home', renumbered(story.topology, 'isp1'))
    const wanted = [
      'dots.isp1.example PUT 198.51.100.35/32',
      'dots.isp1.example PUT 198.51.100.34/32',
      'dots.isp1.example DELETE',
      'dots.isp1.example DELETE'
    ]
    story.figures['askedAfterSeconds'] = await story.expectHeardNext(since, wanted, withinSeconds)
    await story.expectStillProtected(calm)
    await story.expectStillProtected(attacked)
    await story.untilSessionsStand()
  }
}
