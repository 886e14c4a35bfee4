import { networkInterfaces } from 'node:os'
import { UnavailableError, parseIpAddress } from '@breakwater/core'
import type { Clock } from '@breakwater/core'
import type { InterfaceAddresses, LocalAddress } from '@breakwater/dots'
import { systemClock } from '../clock.ts'
import { ipOutput } from '../ip-command.ts'
import type { IpCommand } from '../ip-command.ts'
import { CarrierWatch } from './carrier-watch.ts'
import { addressesOfIpAddress } from './ip-address.ts'
import { IpMonitor } from './ip-monitor.ts'

export interface LinuxInterfaceAddressesOptions {
  /** The command `ip` of iproute2, with what must stand before it. Default `ip`. */
  readonly ip?: IpCommand
  /** Default: the clock of the system. */
  readonly clock?: Clock
}

/**
 * The addresses of this Linux host by `ip`; where there is no such command, by what Node tells, which knows of no
 * deprecated and no temporary addresses.
 */
export function linuxInterfaceAddresses(options: LinuxInterfaceAddressesOptions = {}): InterfaceAddresses {
  const ip = options.ip ?? (['ip'] as const)
  const clock = options.clock ?? systemClock()
  return {
    read: async () => fromIp(ip).catch((error: unknown) => fromNodeIfMissing(error)),
    watch: (onChange, onCarriers) =>
      onCarriers === undefined
        ? new IpMonitor({ ip, clock, onChange })
        : new CarrierWatch({ ip, clock, onChange, onCarriers })
  }
}

async function fromIp(ip: IpCommand): Promise<readonly LocalAddress[]> {
  return addressesOfIpAddress(await ipOutput(ip, ['-json', 'address', 'show', 'up']))
}

function fromNodeIfMissing(cause: unknown): readonly LocalAddress[] {
  if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return fromNode()
  throw new UnavailableError(
    'RUNTIME_ADDRESSES_UNREADABLE',
    'the addresses of the host cannot be read',
    true,
    {
      cause
    }
  )
}

function fromNode(): readonly LocalAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([name, infos = []]) =>
    infos.flatMap(({ address: text, cidr }) => {
      const address = parseIpAddress(text)
      const prefixLength = Number(cidr?.split('/')[1])
      if (address === undefined || !Number.isInteger(prefixLength)) return []
      return [{ address, prefixLength, interface: { name } }]
    })
  )
}
