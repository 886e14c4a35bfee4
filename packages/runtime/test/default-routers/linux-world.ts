import { execFileSync } from 'node:child_process'
import { formatIpAddress } from '@breakwater/core'
import type { DefaultRouter } from '@breakwater/dots'
import type { DefaultRoutersWorld } from '@breakwater/testing'
import { linuxDefaultRouters } from '../../src/default-routers/linux-default-routers.ts'

let counter = 0

/** A network namespace with two links. */
export function linuxWorld(): DefaultRoutersWorld {
  const name = `bw-routers-${process.pid}-${counter++}`
  const ip = (...args: readonly string[]): string =>
    execFileSync('ip', ['-n', name, ...args], { encoding: 'utf8', stdio: 'pipe' })
  execFileSync('ip', ['netns', 'add', name])
  for (const [link, four, six] of [
    ['wan-a', '192.0.2.2/24', '2001:db8:a::2/64'],
    ['wan-b', '198.51.100.2/24', '2001:db8:b::2/64']
  ] as const) {
    ip('link', 'add', link, 'type', 'veth', 'peer', 'name', `far-${link}`)
    ip('link', 'set', link, 'up')
    ip('link', 'set', `far-${link}`, 'up')
    ip('addr', 'add', four, 'dev', link)
    ip('addr', 'add', six, 'dev', link, 'nodad')
  }
  const route = (verb: string, { address, interface: via }: DefaultRouter, ...more: string[]): string =>
    ip(`-${address.family}`, 'route', verb, 'default', 'via', formatIpAddress(address), 'dev', via, ...more)
  return {
    routers: linuxDefaultRouters({ ip: ['ip', '-n', name] }),
    add: (router, metric) => void route('add', router, 'metric', String(metric)),
    addApart: (router) => void route('add', router, 'table', '101'),
    remove: (router) => void route('del', router),
    close: () => void execFileSync('ip', ['netns', 'del', name])
  }
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
