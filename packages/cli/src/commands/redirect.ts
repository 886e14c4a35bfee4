import { connectToAgent } from '../agent-connection.ts'
import { ExitCode } from '../exit-code.ts'
import { reporter } from '../output/report.ts'
import { usageError } from '../usage-error.ts'
import type { AgentOptions } from './agent-options.ts'

const defaultTtlSeconds = 86_400

export interface RedirectOptions extends AgentOptions {
  readonly address?: readonly string[]
  readonly ttl?: string
  readonly client?: readonly string[]
  readonly stop?: boolean
}

/** `dots redirect SERVER`, `dots redirect --stop` */
export async function redirect(server: string | undefined, options: RedirectOptions): Promise<ExitCode> {
  const { address: addresses = [], ttl, client: clients, stop = false } = options
  const report = reporter(options.json === true)
  if (stop === (server !== undefined)) throw usageError('name a server, or --stop')
  if (ttl !== undefined && !/^[0-9]{1,10}$/.test(ttl)) throw usageError('--ttl takes a number of seconds')
  const agent = connectToAgent(options.socket)
  if (server === undefined) {
    await agent.stopRedirecting()
    report.result({ redirection: null }, () => ['clients are sent nowhere else'])
    return ExitCode.ok
  }
  const ttlSeconds = ttl === undefined ? defaultTtlSeconds : Number(ttl)
  const redirection = await agent.redirect({
    server,
    addresses: [...addresses],
    ttlSeconds,
    ...(clients === undefined ? {} : { clients: [...clients] })
  })
  report.result({ redirection }, () => [
    `${clients === undefined ? 'all clients' : clients.join(', ')} → ${server}, but for those under attack`
  ])
  return ExitCode.ok
}
