import { connectToAgent } from '../agent-connection.ts'
import { ExitCode } from '../exit-code.ts'
import { planLines } from '../output/plan-lines.ts'
import { reporter } from '../output/report.ts'
import { parseTarget } from '../target-options.ts'
import type { TargetOptions } from '../target-options.ts'
import type { AgentOptions } from './agent-options.ts'

/** `dots plan TARGET…`: the decisions and their reasons. Names are looked up; nothing is sent to any server. */
export async function plan(
  targets: readonly string[],
  options: AgentOptions & TargetOptions & { readonly offline?: boolean }
): Promise<ExitCode> {
  const request = { ...parseTarget(targets, options), ...(options.offline === true ? { offline: true } : {}) }
  const answer = await connectToAgent(options.socket).plan(request)
  reporter(options.json === true).result(answer, () => planLines(answer))
  return answer.verdict === 'refused' ? ExitCode.refused : ExitCode.ok
}
