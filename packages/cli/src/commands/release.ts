import { watchProtection } from '@breakwater/control'
import { connectToAgent } from '../agent-connection.ts'
import { ExitCode } from '../exit-code.ts'
import { protectionLines } from '../output/protection-lines.ts'
import { reporter } from '../output/report.ts'
import type { AgentOptions } from './agent-options.ts'

const longestWaitSeconds = 60

/** `dots release ID` */
export async function release(
  id: string,
  options: AgentOptions & { readonly wait?: boolean }
): Promise<ExitCode> {
  const client = connectToAgent(options.socket)
  let view = await client.release(id)
  const end = performance.now() + longestWaitSeconds * 1000
  if (options.wait === true && view.state !== 'ended')
    for await (const next of watchProtection(client, id, () => (end - performance.now()) / 1000)) {
      view = next
      if (view.state === 'ended') break
    }
  const last = view
  reporter(options.json === true).result({ protection: last }, () => protectionLines(last))
  return options.wait === true && last.state !== 'ended' ? ExitCode.timeout : ExitCode.ok
}
