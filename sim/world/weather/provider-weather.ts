import { Seconds } from '@breakwater/core'
import type { ProviderFault } from '../../scenario.ts'
import { forgetfulHolder } from '../certificate-dates.ts'
import type { Customer } from '../customer.ts'
import { FOR_EVER_SECONDS, MITIGATIONS } from '../provider.ts'
import type { Provider } from '../provider.ts'
import { worstOf } from './active-faults.ts'
import type { ActiveFaults } from './active-faults.ts'
import { stepSeconds } from './calendar-step.ts'

/** The longest time to live of a redirect that is not for ever. */
export const LONGEST_REDIRECT_SECONDS = 300

/** Does or undoes what goes wrong at a provider. @returns whether it made a difference. */
export function changeProvider(
  provider: Provider,
  customers: readonly Customer[],
  fault: ProviderFault,
  isBeginning: boolean,
  active: ActiveFaults
): boolean {
  const worst = worstOf(active.ofProvider(fault.provider), fault.kind)
  switch (fault.kind) {
    case 'partition':
      provider.host.link('eth0').change({ cut: worst > 0 })
      return true
    case 'server-crash':
    case 'server-upgrade':
      return isBeginning ? goDown(provider, fault) : comeUp(provider, active)
    case 'server-pause':
      if (worst > 0) provider.freeze()
      else provider.thaw()
      return true
    case 'certificate-expiry':
      // Nothing happens when it expires but to the next handshake.
      if (!isBeginning) renewCertificates(provider, customers, fault)
      return true
    case 'store-slow':
      provider.disk.latencyMilliseconds = 4 + 4000 * worst
      return true
    case 'store-failing':
      provider.disk.failing = worst
      return true
    case 'store-damage':
      return isBeginning && provider.disk.damage(MITIGATIONS)
    case 'mitigator-slow':
      provider.device.latencyMilliseconds = 20 + 20_000 * worst
      return true
    case 'mitigator-failing':
      provider.device.failing = worst
      return true
    case 'mitigator-hanging':
      provider.device.setHanging(worst > 0)
      return true
    case 'mitigator-forgets':
      return isBeginning && provider.device.forget()
    case 'server-clock-step':
      if (isBeginning) provider.stepCalendar(Seconds(stepSeconds(fault.strength)))
      return isBeginning
    case 'redirect':
      return provider.redirect(worst > 0 ? timeToLive(worst) : undefined) && isBeginning
  }
}

/** @param strength 0 … 1: from a minute to LONGEST_REDIRECT_SECONDS, or for ever. */
function timeToLive(strength: number): number {
  return isForEver(strength)
    ? FOR_EVER_SECONDS
    : Math.round(LONGEST_REDIRECT_SECONDS * (0.2 + 0.8 * strength))
}

/** Killed, or stopped in good order to make room for a new version. */
function goDown(provider: Provider, { kind, strength }: ProviderFault): boolean {
  if (!provider.isUp) return false
  if (kind === 'server-crash') provider.crash()
  else provider.upgrade(strength < 0.6)
  return true
}

function comeUp(provider: Provider, active: ActiveFaults): boolean {
  const isStillDown = worstOf(active.ofProvider(provider.number), 'server-crash', 'server-upgrade') > 0
  if (!provider.isUp && !isStillDown) void provider.start()
  return true
}

function renewCertificates(provider: Provider, customers: readonly Customer[], fault: ProviderFault): void {
  if (forgetfulHolder(fault) === 'server') provider.renewCertificate()
  else for (const customer of customers) customer.renewCertificate(provider.home)
}

/** Whether a redirect of this strength is without end. */
export function isForEver(strength: number): boolean {
  return strength > 0.85
}
