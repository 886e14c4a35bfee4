import { provisionEvent } from '@breakwater/agents/provision'
import { ExitCode } from '../exit-code.ts'
import { reporter } from '../output/report.ts'

export interface ProvisionOptions {
  readonly client: string
  readonly directory: string
  readonly domain?: string
  readonly json?: boolean
}

/** `dots provision`: the hook of a DHCP client. Asks no agent: those that run see the file. */
export async function provision(args: readonly string[], options: ProvisionOptions): Promise<ExitCode> {
  const view = await provisionEvent({ ...options, args, environment: process.env })
  reporter(options.json === true).result({ ...view }, () => [
    ...view.complaints.map((complaint) => `left out: ${complaint}`),
    ...view.written.map((name) => `wrote ${name}`),
    ...view.removed.map((name) => `removed ${name}`)
  ])
  return ExitCode.ok
}
