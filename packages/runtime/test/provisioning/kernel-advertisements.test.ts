import { ToldConfigurations, provisioningSourceContract } from '@breakwater/testing'
import type { ProvisioningSourceWorld } from '@breakwater/testing'
import { describe, expect, it, vi } from 'vitest'
import { advertisedPrefixes } from '../../src/provisioning/advertised-prefixes.ts'
import { kernelAdvertisements } from '../../src/provisioning/kernel-advertisements.ts'
import { TwoLinkNamespace, obstacleOf } from '../two-link-namespace.ts'

/** A namespace in which addresses with lifetimes stand for what a router advertised: the kernel keeps both alike. */
function namespaceWorld(): ProvisioningSourceWorld {
  const namespace = new TwoLinkNamespace('ra')
  const ip = (...words: readonly string[]): string => namespace.ip(...words)
  const unsay = (via: string): void => {
    // The kernel keeps the prefix of an address that is taken away as one of the link: a router may still advertise it.
    ip('-6', 'route', 'flush', 'root', '2001:db8::/32', 'dev', via)
    ip('-6', 'address', 'flush', 'dev', via, 'scope', 'global')
  }
  return {
    source: kernelAdvertisements({ prefix: ['ip', 'netns', 'exec', namespace.name] }),
    say: ({ interface: via, prefix, validSeconds, preferredSeconds }) => {
      unsay(via)
      const lifetimes = ['valid_lft', `${validSeconds}`, 'preferred_lft', `${preferredSeconds}`]
      ip('address', 'add', prefix.replace('::/', '::7/'), 'dev', via, 'nodad', ...lifetimes)
    },
    unsay,
    close: () => namespace.close()
  }
}

const obstacle = obstacleOf()
if (obstacle === undefined) provisioningSourceContract('advertisements that the kernel took', namespaceWorld)
else it.skip(`advertisements that the kernel took: ${obstacle}`, () => undefined)

/** As the kernel had it of dnsmasq, one with and one without addresses of its own making. */
const addresses = `[{"ifname":"wan1","flags":["BROADCAST","MULTICAST","UP","LOWER_UP"],"addr_info":[
  {"family":"inet6","local":"2001:db8:a:0:649e:47ff:fe78:945b","prefixlen":64,"scope":"global","dynamic":true,"mngtmpaddr":true,"valid_life_time":599,"preferred_life_time":299},
  {"family":"inet6","local":"2001:db8:a:0:1111:2222:3333:4444","prefixlen":64,"scope":"global","dynamic":true,"temporary":true,"valid_life_time":99,"preferred_life_time":9},
  {"family":"inet6","local":"2001:db8:c::1d2","prefixlen":128,"scope":"global","dynamic":true,"valid_life_time":600,"preferred_life_time":600},
  {"family":"inet6","local":"2001:db8:d::1","prefixlen":64,"scope":"global","valid_life_time":4294967295,"preferred_life_time":4294967295},
  {"family":"inet6","local":"fe80::649e:47ff:fe78:945b","prefixlen":64,"scope":"link","valid_life_time":4294967295,"preferred_life_time":4294967295}]}]`
const kernelRoutes = `[
  {"dst":"2001:db8:a::/64","dev":"wan1","metric":256,"flags":[],"expires":598,"pref":"medium"},
  {"dst":"2001:db8:b::/64","dev":"wan2","metric":256,"flags":[],"expires":597,"pref":"medium"},
  {"dst":"2001:db8:d::/64","dev":"wan1","metric":256,"flags":[],"pref":"medium"},
  {"dst":"fe80::/64","dev":"wan1","metric":256,"flags":[],"pref":"medium"}]`
const advertisedRoutes = `[
  {"dst":"default","gateway":"fe80::281e:4fff:fe39:624e","dev":"wan1","metric":1024,"flags":[],"expires":1797,"pref":"medium"}]`

function found(...texts: readonly [string, ...string[]]): string[] {
  const told = new ToldConfigurations()
  const [addressText, kernel = '', advertised = ''] = texts
  for (const [via, configuration] of advertisedPrefixes(addressText, { kernel, advertised }))
    told.learnt(via, configuration)
  return told.texts()
}

describe('what the kernel took from advertisements', () => {
  it('is prefixes with and without addresses, and routers', () => {
    expect(found(addresses, kernelRoutes, advertisedRoutes)).toEqual([
      'wan1 2001:db8:a::/64 via fe80::281e:4fff:fe39:624e',
      'wan2 2001:db8:b::/64'
    ])
  })

  it('has the lifetimes of its address, and of none that is temporary', () => {
    const told = new ToldConfigurations()
    const configuration = advertisedPrefixes(addresses, { kernel: kernelRoutes, advertised: '' }).get('wan1')
    if (configuration !== undefined) told.learnt('', configuration)
    expect(told.lifetimes()).toEqual([599, 299])
  })

  it('is deprecated with its address', () => {
    const deprecated = addresses.replace('"preferred_life_time":299', '"preferred_life_time":0')
    const told = new ToldConfigurations()
    const configuration = advertisedPrefixes(deprecated, { kernel: '', advertised: '' }).get('wan1')
    if (configuration !== undefined) told.learnt('', configuration)
    expect(told.lifetimes()).toEqual([599, 0])
  })

  it.each([
    ['nothing', ['']],
    ['no list', ['{}', '{}']],
    ['no links', ['[null, 7, "wan1"]', '[null, 7]']],
    ['no addresses', ['[{"ifname":"wan1","addr_info":[null, 7, {"dynamic":true}]}]']],
    [
      'an impossible length',
      [
        '[{"ifname":"w","addr_info":[{"local":"2001:db8::1","prefixlen":129,"dynamic":true,"scope":"global"}]}]'
      ]
    ],
    ['a route by a gateway', ['[]', '[{"dst":"2001:db8::/64","dev":"w","gateway":"fe80::1","expires":60}]']],
    ['a default route that nobody advertised', ['[]', '[{"dst":"default","dev":"w","gateway":"fe80::1"}]']],
    ['a route to no prefix', ['[]', '[{"dst":"elsewhere","dev":"w","expires":60}]']]
  ] as const)('is nothing where ip says %s', (_what, texts) => {
    expect(found(...(texts as unknown as [string]))).toEqual([])
  })
})

it('a host that does not tell is complained about once', async () => {
  const told = new ToldConfigurations()
  const watch = kernelAdvertisements({ prefix: ['no-such-command'] }).watch(told)
  await watch.ready
  await vi.waitFor(() => expect(told.refusals).toHaveLength(2), { timeout: 15_000, interval: 5 })
  await watch.close()
  expect(told.refusals.toSorted()).toEqual([
    expect.stringMatching(/^advertisements of the kernel: .*ENOENT/),
    'name servers in advertisements: rtmon, which is of iproute2, tells nothing'
  ])
})
