import { Seconds } from '@breakwater/core'
import type { SiteFault } from '../../scenario.ts'
import type { Customer } from '../customer.ts'
import { worstOf } from './active-faults.ts'
import type { ActiveFaults } from './active-faults.ts'
import { stepSeconds } from './calendar-step.ts'

/** Does or undoes what goes wrong at a site. @returns whether it made a difference. */
export function changeSite(
  customer: Customer,
  fault: SiteFault,
  isBeginning: boolean,
  active: ActiveFaults
): boolean {
  const worst = worstOf(active.ofSite(fault.site), fault.kind)
  switch (fault.kind) {
    case 'client-clock-step':
      if (isBeginning) customer.calendar.step(Seconds(stepSeconds(fault.strength)))
      return isBeginning
    case 'client-pause':
      if (worst > 0) customer.freeze()
      else customer.thaw()
      return true
    case 'notebook-slow':
      customer.disk.latencyMilliseconds = 4 + 4000 * worst
      return true
    case 'notebook-failing':
      customer.disk.failing = worst
      return true
    case 'notebook-damage':
      return isBeginning && customer.disk.damage()
    case 'client-crash':
    case 'client-upgrade':
      return isBeginning ? goDown(customer, fault) : comeUp(customer, active)
  }
}

function goDown(customer: Customer, { kind, strength }: SiteFault): boolean {
  if (customer.client === undefined) return false
  if (kind === 'client-crash') customer.crash()
  else {
    void customer.stop()
    if (strength < 0.5) customer.allowTcp()
  }
  return true
}

function comeUp(customer: Customer, active: ActiveFaults): boolean {
  const isStillDown = worstOf(active.ofSite(customer.plan.number), 'client-crash', 'client-upgrade') > 0
  if (customer.client === undefined && !isStillDown) customer.start()
  return true
}
