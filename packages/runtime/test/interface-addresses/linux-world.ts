import { formatIpAddress } from '@breakwater/core'
import type { LocalAddress } from '@breakwater/dots'
import type { InterfaceAddressesWorld } from '@breakwater/testing'
import { linuxInterfaceAddresses } from '../../src/interface-addresses/linux-interface-addresses.ts'
import { TwoLinkNamespace } from '../two-link-namespace.ts'

/** A network namespace with two links. */
export function linuxWorld(): InterfaceAddressesWorld {
  const namespace = new TwoLinkNamespace('addresses')
  const ip = (...words: readonly string[]): string => namespace.ip(...words)
  return {
    addresses: linuxInterfaceAddresses({ ip: ['ip', '-n', namespace.name] }),
    add: (local) => {
      const nodad = local.address.family === 6 ? ['nodad'] : []
      const lifetimes = local.state === 'deprecated' ? ['preferred_lft', '0', 'valid_lft', '3600'] : []
      ip('address', 'add', textOf(local), 'dev', local.interface.name, ...nodad, ...lifetimes)
    },
    remove: (local) => void ip('address', 'del', textOf(local), 'dev', local.interface.name),
    setUp: (link, isUp) => void ip('link', 'set', link, isUp ? 'up' : 'down'),
    setCarrier: (link, isUp) => void ip('link', 'set', `far-${link}`, isUp ? 'up' : 'down'),
    close: () => namespace.close()
  }
}

function textOf({ address, prefixLength }: LocalAddress): string {
  return `${formatIpAddress(address)}/${prefixLength}`
}
