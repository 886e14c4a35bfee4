import { dhclientHook } from './dhclient-hook.ts'
import { dhcpcdHook } from './dhcpcd-hook.ts'
import type { HookOutcome } from './hook-outcome.ts'
import { HookVariables } from './hook-variables.ts'
import type { Environment } from './hook-variables.ts'
import { networkManagerHook } from './network-manager-hook.ts'
import { udhcpcHook } from './udhcpc-hook.ts'

/** Clients of DHCP whose events are understood. */
export const HOOK_CLIENTS = ['dhclient', 'udhcpc', 'udhcpc6', 'dhcpcd', 'networkmanager'] as const
export type HookClient = (typeof HOOK_CLIENTS)[number]

/**
 * What an event of a client means, as it calls its hook: with these arguments, in this environment.
 * @param now By the calendar, in seconds.
 */
export function hookOutcome(
  client: HookClient,
  args: readonly string[],
  environment: Environment,
  now: number = Math.floor(Date.now() / 1000)
): HookOutcome {
  const variables = new HookVariables(environment)
  switch (client) {
    case 'dhclient':
      return dhclientHook(variables, now)
    case 'udhcpc':
    case 'udhcpc6':
      return udhcpcHook(client, args[0], variables)
    case 'dhcpcd':
      return dhcpcdHook(variables)
    case 'networkmanager': {
      const [via = '', event] = args
      return networkManagerHook(new HookVariables({ via }).interfaceName('via'), event, variables)
    }
  }
}
