import { connectToAgent } from '../agent-connection.ts'
import { ExitCode } from '../exit-code.ts'
import { domainLines } from '../output/domain-lines.ts'
import { reporter } from '../output/report.ts'
import type { AgentOptions } from './agent-options.ts'

/** `dots domains`: the providers as the client sees them. */
export async function domains(options: AgentOptions): Promise<ExitCode> {
  const view = await connectToAgent(options.socket).domains()
  reporter(options.json === true).result({ ...view }, () => domainLines(view))
  return ExitCode.ok
}
