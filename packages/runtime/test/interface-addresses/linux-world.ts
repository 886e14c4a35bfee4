import { execFileSync } from 'node:child_process'
import { formatIpAddress } from '@breakwater/core'
import type { LocalAddress } from '@breakwater/dots'
import type { InterfaceAddressesWorld } from '@breakwater/testing'
import { linuxInterfaceAddresses } from '../../src/interface-addresses/linux-interface-addresses.ts'

let counter = 0

/** A network namespace with two links. */
export function linuxWorld(): InterfaceAddressesWorld {
  const name = `bw-addresses-${process.pid}-${counter++}`
  const ip = (...args: readonly string[]): string =>
    execFileSync('ip', ['-n', name, ...args], { encoding: 'utf8', stdio: 'pipe' })
  execFileSync('ip', ['netns', 'add', name])
  for (const link of ['wan-a', 'wan-b']) {
    ip('link', 'add', link, 'type', 'veth', 'peer', 'name', `far-${link}`)
    ip('link', 'set', link, 'up')
    ip('link', 'set', `far-${link}`, 'up')
  }
  return {
    addresses: linuxInterfaceAddresses({ ip: ['ip', '-n', name] }),
    add: (local) => {
      const nodad = local.address.family === 6 ? ['nodad'] : []
      const lifetimes = local.state === 'deprecated' ? ['preferred_lft', '0', 'valid_lft', '3600'] : []
      ip('address', 'add', textOf(local), 'dev', local.interface.name, ...nodad, ...lifetimes)
    },
    remove: (local) => void ip('address', 'del', textOf(local), 'dev', local.interface.name),
    setUp: (link, isUp) => void ip('link', 'set', link, isUp ? 'up' : 'down'),
    setCarrier: (link, isUp) => void ip('link', 'set', `far-${link}`, isUp ? 'up' : 'down'),
    close: () => void execFileSync('ip', ['netns', 'del', name])
  }
}

function textOf({ address, prefixLength }: LocalAddress): string {
  return `${formatIpAddress(address)}/${prefixLength}`
}

/** Why no namespace can be made here; undefined when one can. */
export function obstacleOf(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root'
  try {
    linuxWorld().close()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
