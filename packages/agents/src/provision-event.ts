import { ConfigError } from '@breakwater/core'
import { DomainName } from '@breakwater/dots/learnt'
import { HOOK_CLIENTS, applyToDropDirectory, hookOutcome } from '@breakwater/runtime/provision'
import type { DropChange } from '@breakwater/runtime/provision'
import { nameFault } from './config/name-format.ts'

/** An event of a DHCP client, as it calls its hook. */
export interface ProvisionRequest {
  /** One of `HOOK_CLIENTS`. */
  readonly client: string
  /** What the client gave its hook. */
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly directory: string
  /** Names the domain, where the interface does not tell it. */
  readonly domain?: string
}

/** What became of an event. */
export interface ProvisionView extends DropChange {
  /** Variables of no use. */
  readonly complaints: readonly string[]
}

/**
 * Puts into the drop directory what an event of a DHCP client means.
 * @throws ConfigError `PROVISION_OPTION_INVALID`; UnavailableError `RUNTIME_DROP_UNWRITABLE`.
 */
export async function provisionEvent(request: ProvisionRequest): Promise<ProvisionView> {
  const client = HOOK_CLIENTS.find((each) => each === request.client)
  if (client === undefined) throw invalid('client', `must be one of ${HOOK_CLIENTS.join(', ')}`)
  const { domain } = request
  const fault = domain === undefined ? undefined : nameFault(domain)
  if (fault !== undefined) throw invalid('domain', fault)
  const outcome = hookOutcome(client, request.args, request.environment)
  const named = domain === undefined ? undefined : DomainName(domain)
  return {
    ...(await applyToDropDirectory(request.directory, outcome, named)),
    complaints: outcome.complaints
  }
}

function invalid(path: string, message: string): ConfigError {
  return new ConfigError('PROVISION_OPTION_INVALID', `${path} ${message}`, [{ path, message }])
}
