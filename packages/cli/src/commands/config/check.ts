import type { AgentRole } from '@breakwater/agents'
import { ExitCode } from '../../exit-code.ts'
import { reporter } from '../../output/report.ts'

/** `dots config check --config FILE` */
export async function checkConfig(
  file: string,
  options: { readonly json?: boolean; readonly role?: AgentRole }
): Promise<ExitCode> {
  const { checkConfigFile } = await import('@breakwater/agents')
  const { role, warnings } = checkConfigFile(file, options.role)
  reporter(options.json === true).result({ ok: true, role, warnings }, () => [
    `${file}: a good configuration of a ${role}`,
    ...warnings.map(({ path, message, line }) => `  warning: line ${line ?? 1}: ${path}: ${message}`)
  ])
  return ExitCode.ok
}
