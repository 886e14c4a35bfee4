import { connectToAgent } from '../agent-connection.ts'
import { ExitCode } from '../exit-code.ts'
import { mitigationLines } from '../output/mitigation-lines.ts'
import { protectionLines } from '../output/protection-lines.ts'
import { reporter } from '../output/report.ts'
import { sessionLines } from '../output/session-lines.ts'
import { durationText } from '../output/words.ts'
import type { AgentOptions } from './agent-options.ts'
import type { AgentView } from '@breakwater/control'

/** `dots status`: what the agent does at the moment. */
export async function status(options: AgentOptions & { readonly counters?: boolean }): Promise<ExitCode> {
  const client = connectToAgent(options.socket)
  const report = reporter(options.json === true)
  const agent = await client.agent()
  const sessions = await client.sessions()
  const counters = options.counters === true ? await client.counters() : {}
  const shown = options.counters === true ? { counters } : {}
  const counterLines = Object.entries(counters).map(([name, value]) => `${name} ${value}`)
  if (agent.role === 'server') {
    const mitigations = await client.mitigations()
    report.result({ agent, sessions, mitigations, ...shown }, () => [
      headline(agent),
      ...sessionLines('client', sessions),
      ...mitigationLines(mitigations),
      ...counterLines
    ])
  } else {
    const protections = await client.protections()
    report.result({ agent, sessions, protections, ...shown }, () => [
      headline(agent),
      ...sessionLines('server', sessions),
      '',
      ...(protections.length === 0 ? ['no protections'] : protections.flatMap(protectionLines)),
      ...counterLines
    ])
  }
  return ExitCode.ok
}

function headline({ role, version, uptimeSeconds, pid, listen }: AgentView): string {
  const where = listen.length === 0 ? '' : `, listens on ${listen.join(' and ')}`
  return `DOTS ${role} ${version}, process ${pid}, up ${durationText(uptimeSeconds)}${where}`
}
