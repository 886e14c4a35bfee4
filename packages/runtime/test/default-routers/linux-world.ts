import { formatIpAddress } from '@breakwater/core'
import type { DefaultRouter } from '@breakwater/dots'
import type { DefaultRoutersWorld } from '@breakwater/testing'
import { linuxDefaultRouters } from '../../src/default-routers/linux-default-routers.ts'
import { TwoLinkNamespace } from '../two-link-namespace.ts'

/** A network namespace with two links. */
export function linuxWorld(): DefaultRoutersWorld {
  const namespace = new TwoLinkNamespace('routers')
  const ip = (...words: readonly string[]): string => namespace.ip(...words)
  for (const [link, four, six] of [
    ['wan-a', '192.0.2.2/24', '2001:db8:a::2/64'],
    ['wan-b', '198.51.100.2/24', '2001:db8:b::2/64']
  ] as const) {
    ip('addr', 'add', four, 'dev', link)
    ip('addr', 'add', six, 'dev', link, 'nodad')
  }
  const route = (verb: string, { address, interface: via }: DefaultRouter, ...more: string[]): string =>
    ip(`-${address.family}`, 'route', verb, 'default', 'via', formatIpAddress(address), 'dev', via, ...more)
  return {
    routers: linuxDefaultRouters({ ip: ['ip', '-n', namespace.name] }),
    add: (router, metric) => void route('add', router, 'metric', String(metric)),
    addApart: (router) => void route('add', router, 'table', '101'),
    remove: (router) => void route('del', router),
    close: () => namespace.close()
  }
}
