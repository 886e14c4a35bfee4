import { ConfigError, Seconds, formatIpAddress, formatIpPrefix, silentLog } from '@breakwater/core'
import type { LogFields } from '@breakwater/core'
import { DomainName, LEARNT_ORIGINS } from '@breakwater/dots'
import type { LearnRule, LearntConfiguration, Site } from '@breakwater/dots'
import {
  LeakCheck,
  SimulatedInterfaceAddresses,
  SimulatedProvisioningSource,
  VirtualClock,
  address,
  prefix,
  site
} from '@breakwater/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Provisioning } from '../../src/client/provisioning.ts'

const twoProviders = site([
  { name: 'isp-a', prefixes: [], interfaces: ['wan-a'] },
  { name: 'isp-b', prefixes: ['2001:db8:b::/48'], interfaces: ['wan-b'], sources: ['2001:db8:b::7'] }
])

const rules: readonly LearnRule[] = [
  {
    domain: DomainName('isp-a'),
    interfaces: ['wan-a'],
    from: new Set(LEARNT_ORIGINS),
    prefixes: true,
    resolvers: true
  }
]

function delegated(text: string, validSeconds = 600): LearntConfiguration {
  const lifetimes = { valid: Seconds(validSeconds), preferred: Seconds(validSeconds) }
  return {
    interface: 'wan-a',
    origin: 'dhcpv6',
    prefixes: [{ prefix: prefix(text), ...lifetimes }],
    addresses: [],
    resolvers: [{ address: address('2001:db8:a::53'), valid: lifetimes.valid }],
    gateways: [],
    searchDomains: []
  }
}

const own = { address: address('2001:db8:1::7'), prefixLength: 64, interface: { name: 'wan-a' } }

function prefixes({ domains }: Site): string[] {
  return domains.map((domain) => domain.prefixes.map(formatIpPrefix).join(' '))
}

function locals({ domains }: Site): string[] {
  return (domains[0]?.localAddresses ?? []).map((local) => formatIpAddress(local.address))
}

describe('the provisioning of a client', () => {
  const leaks = new LeakCheck()
  let clock: VirtualClock
  let source: SimulatedProvisioningSource
  let addresses: SimulatedInterfaceAddresses
  let lines: string[] = []
  let told: Site[]
  let links: string[]
  let provisioning: Provisioning

  const note = (event: string, fields?: LogFields): void =>
    void lines.push(`${event} ${JSON.stringify(fields)}`)
  const begin = async (configured = twoProviders): Promise<void> => {
    const log = { ...silentLog, info: note, warn: note, error: note }
    provisioning = await Provisioning.begin({
      site: configured,
      rules,
      sources: [source],
      addresses,
      clock,
      log
    })
    provisioning.follow({
      onSite: (next) => void told.push(next),
      onLink: (name, isUp) => void links.push(`${name} ${isUp ? 'up' : 'down'}`)
    })
  }

  beforeEach(() => {
    clock = leaks.clock(new VirtualClock())
    source = new SimulatedProvisioningSource()
    addresses = new SimulatedInterfaceAddresses()
    lines = []
    told = []
    links = []
    for (const name of ['wan-a', 'wan-b', 'docker0']) addresses.setCarrier(name, true)
  })
  afterEach(async () => {
    await provisioning.close()
    expect(source.watches).toBe(0)
    await leaks.check()
  })

  it('begins with all that is known', async () => {
    source.say('pd', delegated('2001:db8:1::/56'))
    addresses.add(own)
    await begin()
    expect(prefixes(provisioning.site)).toEqual(['2001:db8:1::/56', '2001:db8:b::/48'])
    expect(locals(provisioning.site)).toEqual(['2001:db8:1::7'])
    expect(told).toEqual([])
  })

  it('tells of what is learnt, and of what is over', async () => {
    await begin()
    await clock.advance(Seconds(5))
    source.say('pd', delegated('2001:db8:1::/56', 60))
    expect(told.map(prefixes)).toEqual([['2001:db8:1::/56', '2001:db8:b::/48']])
    expect([...provisioning.resolvers.keys()]).toEqual(['isp-a'])
    await clock.advance(Seconds(61))
    expect(told.map(prefixes).at(-1)).toEqual(['', '2001:db8:b::/48'])
    expect(lines.filter((line) => line.startsWith('provisioning.changed'))).toHaveLength(2)
    expect(provisioning.resolvers.size).toBe(0)
  })

  it('tells of addresses that come and go', async () => {
    await begin()
    await clock.advance(Seconds(5))
    addresses.add(own)
    await clock.advance(Seconds(1))
    expect(told.map(locals)).toEqual([['2001:db8:1::7']])
    addresses.setUp('wan-a', false)
    await clock.advance(Seconds(1))
    expect(told.map(locals).at(-1)).toEqual([])
  })

  it('asks for no addresses where every domain names its own, until one leaves them to the system', async () => {
    const explicit = site([{ name: 'isp-a', prefixes: [], interfaces: ['wan-a'], sources: ['192.0.2.7'] }])
    addresses.add(own)
    await begin(explicit)
    expect(addresses.reads).toBe(0)
    provisioning.reconfigure(twoProviders, rules)
    await clock.advance(Seconds(2))
    expect(told.map(locals).at(-1)).toEqual(['2001:db8:1::7'])
  })

  it('goes on with nothing where the system does not tell, until it does', async () => {
    addresses.isBroken = true
    addresses.add(own)
    await begin()
    expect(lines.some((line) => line.startsWith('addresses.unknown'))).toBe(true)
    expect(locals(provisioning.site)).toEqual([])
    addresses.isBroken = false
    addresses.setUp('wan-b', true)
    await clock.advance(Seconds(2))
    expect(told.map(locals).at(-1)).toEqual(['2001:db8:1::7'])
  })

  it('tells at once of a carrier that is lost and comes back, each once, and of nobody else’s', async () => {
    await begin()
    expect(links).toEqual([])
    addresses.setCarrier('wan-a', false)
    expect(links).toEqual(['wan-a down'])
    addresses.setCarrier('docker0', false)
    addresses.setCarrier('wan-a', true)
    addresses.setCarrier('wan-a', true)
    expect(links).toEqual(['wan-a down', 'wan-a up'])
    expect(lines.filter((line) => line.startsWith('link.'))).toEqual([
      'link.down {"interface":"wan-a"}',
      'link.up {"interface":"wan-a"}'
    ])
    expect(provisioning.counters.snapshot()).toMatchObject({ 'link_changes_total{wan-a down}': 1 })
  })

  it('tells of a carrier that is missing at the start', async () => {
    addresses.setCarrier('wan-b', false)
    await begin()
    expect(links).toEqual(['wan-b down'])
  })

  it('takes an interface that has gone for one without a carrier, and one that never was for nothing', async () => {
    addresses.setCarrier('wan-b', undefined)
    await begin()
    addresses.setCarrier('wan-a', undefined)
    expect(links).toEqual(['wan-a down'])
  })

  it('tells of an interface that a new configuration names', async () => {
    addresses.setCarrier('docker0', false)
    await begin()
    provisioning.reconfigure(site([{ name: 'isp-a', prefixes: [], interfaces: ['docker0'] }]), [])
    expect(links).toEqual(['docker0 down'])
  })

  it('gives the site of a new configuration at once, and to nobody else', async () => {
    source.say('pd', delegated('2001:db8:1::/56'))
    await begin()
    const moved = site([{ name: 'isp-a', prefixes: ['2001:db8:a::/48'], interfaces: ['wan-a'] }])
    expect(prefixes(provisioning.reconfigure(moved, rules))).toEqual(['2001:db8:a::/48 2001:db8:1::/56'])
    expect(told).toEqual([])
  })

  it('says why the client refused a site, and goes on', async () => {
    await begin()
    provisioning.follow({
      onSite: () => {
        throw new ConfigError('DOTS_CLIENT_SITE_INVALID', 'no', [
          { path: 'domain isp-a', message: 'because' }
        ])
      }
    })
    await clock.advance(Seconds(5))
    source.say('pd', delegated('2001:db8:1::/56'))
    expect(lines.at(-1)).toMatch(/^provisioning.site_refused.*domain isp-a: because/)
  })

  it('writes twenty lines a minute of what a provider makes it say, and counts the rest', async () => {
    await begin()
    await clock.advance(Seconds(61))
    lines = []
    for (let n = 0; n < 100; n++) {
      source.say('pd', delegated(`2001:db8:b:${n}::/64`))
      source.refuse(`/drop/${n}.json`, 'no JSON')
    }
    expect(lines).toHaveLength(20)
    expect(provisioning.counters.snapshot()).toMatchObject({
      'provisioning_refused_total{fact}': 100,
      'provisioning_refused_total{file}': 100
    })
  })
})
