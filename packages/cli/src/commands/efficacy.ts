import type { EfficacyRequest } from '@breakwater/control'
import { connectToAgent } from '../agent-connection.ts'
import { ExitCode } from '../exit-code.ts'
import { protectionLines } from '../output/protection-lines.ts'
import { reporter } from '../output/report.ts'
import { usageError } from '../usage-error.ts'
import type { AgentOptions } from './agent-options.ts'

/** `dots efficacy ID under-attack|mitigated` */
export async function efficacy(id: string, status: string, options: AgentOptions): Promise<ExitCode> {
  const attackStatus = attackStatusOf(status)
  const protection = await connectToAgent(options.socket).updateEfficacy(id, { attackStatus })
  reporter(options.json === true).result({ protection }, () => protectionLines(protection))
  return ExitCode.ok
}

function attackStatusOf(text: string): EfficacyRequest['attackStatus'] {
  if (text === 'under-attack' || text === 'mitigated') return text
  throw usageError(`${JSON.stringify(text)} is neither "under-attack" nor "mitigated"`)
}
