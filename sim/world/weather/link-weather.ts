import { Milliseconds } from '@breakwater/core'
import type { LinkConditions } from '@breakwater/testing'
import type { LinkFault } from '../../scenario.ts'
import type { Customer } from '../customer.ts'
import type { TrafficKind } from '../firewall.ts'
import type { ActiveFaults } from './active-faults.ts'

const CALM: Partial<LinkConditions> = {
  loss: 0,
  duplicate: 0,
  reorder: 0,
  jitter: Milliseconds(0),
  longestDatagram: Infinity,
  cut: false
}

interface BothDirections {
  readonly up: Partial<LinkConditions>
  readonly down: Partial<LinkConditions>
}

/** Brings a link to what the faults on it make of it. @returns whether it made a difference. */
export function changeLink(
  customer: Customer,
  fault: LinkFault,
  isBeginning: boolean,
  active: ActiveFaults
): boolean {
  const link = customer.linkTo(fault.provider)
  if (link === undefined) return false
  link.change(CALM)
  for (const each of active.ofLink(fault.site, fault.provider)) {
    const { up, down } = linkConditions(each)
    link.up.change(up)
    link.down.change(down)
  }
  customer.firewall.block(fault.provider, blockedOn(fault, active))
  // It lasts no time.
  if (fault.kind !== 'nat-rebinding') return true
  if (isBeginning) customer.rebind(fault.provider)
  return isBeginning
}

/** What does not get through at all, for a firewall or a broken tunnel. */
function blockedOn({ site, provider }: LinkFault, active: ActiveFaults): readonly TrafficKind[] {
  return [...active.ofLink(site, provider)].flatMap(({ kind, strength }): readonly TrafficKind[] => {
    if (kind === 'udp-blocked') return ['udp']
    if (kind === 'family-lost') return [strength < 0.5 ? 4 : 6]
    return []
  })
}

function linkConditions({ kind, strength }: LinkFault): BothDirections {
  switch (kind) {
    case 'loss':
      return both({ loss: 0.02 + 0.6 * strength })
    case 'asymmetric-loss':
      return oneWay(strength, (rest) => ({ loss: 0.2 + 0.75 * rest }))
    case 'duplicate':
      return both({ duplicate: 0.05 + 0.9 * strength })
    case 'reorder':
      return both({ reorder: 0.05 + 0.5 * strength, reorderDelay: Milliseconds(20 + 4000 * strength) })
    case 'latency':
      return both({ jitter: Milliseconds(50 + 3000 * strength) })
    case 'black-hole':
      return oneWay(strength, () => ({ cut: true }))
    case 'inbound-saturation':
      return { up: {}, down: { loss: 0.7 + 0.3 * strength, jitter: Milliseconds(500) } }
    case 'link-cut':
      return both({ cut: true })
    case 'long-datagrams-vanish':
      // Handshakes of the simulation are short; what is lost is what tells of several mitigations.
      return oneWay(strength, (rest) => ({ longestDatagram: 80 + 300 * rest }))
    case 'family-lost':
    case 'udp-blocked':
    case 'nat-rebinding':
      return both({})
  }
}

function both(conditions: Partial<LinkConditions>): BothDirections {
  return { up: conditions, down: conditions }
}

/** The lower half of the scale is towards the provider, the upper half towards the site; `rest` is 0 … 1 again. */
function oneWay(strength: number, conditions: (rest: number) => Partial<LinkConditions>): BothDirections {
  return strength < 0.5
    ? { up: conditions(2 * strength), down: {} }
    : { up: {}, down: conditions(2 * strength - 1) }
}
