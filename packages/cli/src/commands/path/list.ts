import { connectToAgent } from '../../agent-connection.ts'
import { ExitCode } from '../../exit-code.ts'
import { pathLines } from '../../output/path-lines.ts'
import { reporter } from '../../output/report.ts'
import type { AgentOptions } from '../agent-options.ts'

/** `dots path list`: by which paths the servers can be reached, which are used, and what is known of each. */
export async function listPaths(options: AgentOptions): Promise<ExitCode> {
  const view = await connectToAgent(options.socket).paths()
  reporter(options.json === true).result(view, () => pathLines(view))
  return ExitCode.ok
}
