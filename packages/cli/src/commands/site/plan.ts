import { ExitCode } from '../../exit-code.ts'
import { reporter } from '../../output/report.ts'
import { sitePlanLines } from '../../output/site-plan-lines.ts'

/** `dots site plan FILE`: a /64 for every link and provider, and who is asked to protect what. Asks no agent. */
export async function planSite(file: string, options: { readonly json?: boolean }): Promise<ExitCode> {
  const { planSiteFile } = await import('@breakwater/agents')
  const plan = planSiteFile(file)
  reporter(options.json === true).result(plan, () => sitePlanLines(plan))
  return plan.problems.some(({ severity }) => severity === 'error') ? ExitCode.failed : ExitCode.ok
}
