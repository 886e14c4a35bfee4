import { connectToAgent } from '../agent-connection.ts'
import { ExitCode } from '../exit-code.ts'
import { decisionLines } from '../output/decision-lines.ts'
import { reporter } from '../output/report.ts'
import type { AgentOptions } from './agent-options.ts'

/** `dots why ID`: the last decisions about a protection, a server or a path, and what they were made by. */
export async function why(name: string, options: AgentOptions): Promise<ExitCode> {
  const decisions = await connectToAgent(options.socket).why(name)
  reporter(options.json === true).result({ decisions: [...decisions] }, () => decisionLines(decisions))
  return ExitCode.ok
}
