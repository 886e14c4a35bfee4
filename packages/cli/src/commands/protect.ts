import { outcomeOf, watchProtection } from '@breakwater/control'
import type { ControlClient, ProtectionView } from '@breakwater/control'
import { connectToAgent } from '../agent-connection.ts'
import { ExitCode } from '../exit-code.ts'
import { planLines } from '../output/plan-lines.ts'
import { protectionLines, requestText } from '../output/protection-lines.ts'
import { reporter } from '../output/report.ts'
import type { Reporter } from '../output/report.ts'
import { parseLifetime, parseTarget } from '../target-options.ts'
import type { TargetOptions } from '../target-options.ts'
import { usageError } from '../usage-error.ts'
import type { AgentOptions } from './agent-options.ts'

export interface ProtectOptions extends AgentOptions, TargetOptions {
  readonly lifetime?: string
  readonly require?: 'all' | 'any'
  readonly wait?: boolean
  readonly timeout?: string
}

const defaultTimeoutSeconds = 60

/** `dots protect TARGET…` */
export async function protect(targets: readonly string[], options: ProtectOptions): Promise<ExitCode> {
  const request = {
    ...parseTarget(targets, options),
    ...(options.lifetime === undefined ? {} : { lifetimeSeconds: parseLifetime(options.lifetime) }),
    ...(options.require === undefined ? {} : { require: options.require })
  }
  const timeoutSeconds = parseTimeout(options.timeout)
  const report = reporter(options.json === true)
  const client = connectToAgent(options.socket)
  const answer = await client.protect(request)
  if (!answer.accepted) {
    report.result(answer, () => ['Refused: nothing was sent to anybody.', ...planLines(answer.plan).slice(1)])
    return ExitCode.refused
  }
  const { protection } = answer
  if (options.wait !== true) {
    report.result(answer, () => protectionLines(protection))
    return outcomeOf(protection) === 'bad' ? ExitCode.refused : ExitCode.ok
  }
  report.progress(`protection ${protection.id} started, waiting for the servers …`)
  return await waitForOutcome(client, protection.id, timeoutSeconds, report)
}

function parseTimeout(text: string | undefined): number {
  if (text === undefined) return defaultTimeoutSeconds
  if (!/^\d{1,6}$/.test(text)) throw usageError(`${JSON.stringify(text)} is no time-out in seconds`)
  return Number(text)
}

/** Tells what changes at each server until the protection stands, is refused, or time is up. */
async function waitForOutcome(
  client: ControlClient,
  id: string,
  timeoutSeconds: number,
  report: Reporter
): Promise<ExitCode> {
  const end = performance.now() + timeoutSeconds * 1000
  const told = new Map<string, string>()
  let last: ProtectionView | undefined
  for await (const view of watchProtection(client, id, () => (end - performance.now()) / 1000)) {
    last = view
    tellChanges(view, told, report)
    if (outcomeOf(view) !== 'open') break
  }
  if (last === undefined) return ExitCode.failed
  const view = last
  const outcome = outcomeOf(view)
  report.result({ accepted: true, protection: view, timedOut: outcome === 'open' }, () =>
    protectionLines(view)
  )
  if (outcome === 'open') report.progress(`not protected after ${timeoutSeconds} s; the agent goes on trying`)
  return { good: ExitCode.ok, bad: ExitCode.refused, open: ExitCode.timeout }[outcome]
}

function tellChanges(view: ProtectionView, told: Map<string, string>, report: Reporter): void {
  for (const request of view.requests) {
    const key = `${request.server} ${request.prefixes.join(' ')}`
    // The counters and the rest of the lifetime change all the time; what is told is what the server decided.
    const news = `${request.state} ${request.text}`
    if (told.get(key) === news) continue
    told.set(key, news)
    report.progress(`${request.server}: ${requestText(request)}`)
  }
}
