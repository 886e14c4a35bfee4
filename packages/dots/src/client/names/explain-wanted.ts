import { explainPlacement } from '../../multihoming/plan.ts'
import type { PlanExplanation } from '../../multihoming/plan.ts'
import type { PlacementOptions } from '../../multihoming/placement.ts'
import type { SitePlan } from '../../multihoming/site-plan.ts'
import type { NameStanding } from './name-standing.ts'
import { namesWanted, placeWanted } from './place-wanted.ts'
import type { StandingOf, Wanted } from './place-wanted.ts'

/** What would become of a target, with what its names mean. */
export interface ClientPlan extends PlanExplanation {
  readonly names: readonly NameStanding[]
}

/**
 * Explains where what is named would go.
 * @param watched What live protections know.
 * @param found What was found out for this plan.
 */
export function explainWanted(
  wanted: Wanted,
  plan: SitePlan,
  options: PlacementOptions,
  watched: StandingOf,
  found?: StandingOf
): ClientPlan {
  const standingOf: StandingOf = (name) => {
    const own = watched(name)
    const news = found?.(name)
    const isNoNews = news === undefined || (news.addresses.length === 0 && own.addresses.length > 0)
    return isNoNews || own.state === 'no-room' ? own : news
  }
  const placement = placeWanted(wanted, standingOf, plan, options)
  const names = namesWanted(wanted, plan.site.aliases).map((name) => standingOf(name))
  return { ...explainPlacement(placement, plan, options), names }
}
