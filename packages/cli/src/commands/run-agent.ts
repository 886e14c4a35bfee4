import type { AgentRole } from '@breakwater/agents'
import { ExitCode } from '../exit-code.ts'

/** `dots server` and `dots client`: runs until SIGTERM or SIGINT. */
export async function runAgent(role: AgentRole, options: { readonly config: string }): Promise<ExitCode> {
  const { runClient, runServer } = await import('@breakwater/agents')
  await (role === 'server' ? runServer(options.config) : runClient(options.config))
  return ExitCode.ok
}
