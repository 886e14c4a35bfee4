import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DhcpWorld, killed, obstacleOf } from './dhcp-world.ts'
import { NetworkManager, obstacleToNetworkManager } from './network-manager.ts'

const obstacle = obstacleOf()
const noManager = obstacleToNetworkManager()
if (noManager !== undefined) console.warn(`NetworkManager is skipped: ${noManager}`)
if (obstacle !== undefined) it.skip(`a client of a real DHCP server: ${obstacle}`, () => undefined)

/** Without an old lease, dhcpcd takes 20 s of a quiet machine, most of it waiting; each hook starts a Node. */
const PATIENCE = { timeout: 100_000, interval: 300 } as const

describe.skipIf(obstacle !== undefined)('a client of a real DHCP server', { timeout: 240_000 }, () => {
  let world: DhcpWorld
  beforeEach(() => {
    world = new DhcpWorld()
  })
  afterEach(() => world.end())

  const expectFacts = (...facts: readonly (string | RegExp)[]): Promise<void> =>
    vi.waitFor(async () => {
      const found = await world.facts()
      for (const fact of facts) expect(found).toContainEqual(expect.stringMatching(fact))
    }, PATIENCE)

  it('learns a lease by udhcpc and the prefix of an advertisement, and follows both and its addresses', async () => {
    await world.startClient()
    expect(await world.facts()).toEqual([])
    world.startProvider('198.51.100.10,198.51.100.20,255.255.255.0,10m', '2001:db8:a::,ra-only,64,10m')
    const dhcp = world.startUdhcpc()
    await expectFacts(
      /^prefix 198\.51\.100\.\d+\/32 dhcpv4 used$/,
      'resolver 198.51.100.53 dhcpv4 used',
      'gateway 198.51.100.1 dhcpv4 noted',
      'search-domain isp-a.example dhcpv4 noted',
      'prefix 2001:db8:a::/64 ra used',
      'resolver 2001:db8:a::53 ra used',
      'search-domain isp-a.example ra noted',
      /^gateway fe80::.* ra noted$/
    )
    // An address that comes is a source for sessions without a restart, and one that goes is none any more.
    expect(await world.sources()).toEqual([])
    world.ip(world.site, 'address', 'add', '198.51.100.77/24', 'dev', 'wan1')
    await vi.waitFor(async () => expect(await world.sources()).toEqual(['198.51.100.77']), PATIENCE)
    world.ip(world.site, 'address', 'del', '198.51.100.77/24', 'dev', 'wan1')
    await vi.waitFor(async () => expect(await world.sources()).toEqual([]), PATIENCE)
    // SIGUSR2: it gives the lease back.
    dhcp.kill('SIGUSR2')
    await vi.waitFor(async () => {
      const found = await world.facts()
      expect(found.filter((fact) => fact.includes('dhcpv4'))).toEqual([])
      expect(found).toContain('prefix 2001:db8:a::/64 ra used')
    }, PATIENCE)
  })

  it('that starts late asks the routers, and no name server outlives its link', async () => {
    world.startProvider('2001:db8:a::,ra-only,64,10m')
    await vi.waitFor(() => expect(world.addresses()).toContain('2001:db8:a:'), PATIENCE)
    const before = world.solicitations()
    await world.startClient()
    await expectFacts('prefix 2001:db8:a::/64 ra used', 'resolver 2001:db8:a::53 ra used')
    expect(world.solicitations()).toBeGreaterThan(before)
    world.ip(world.site, 'link', 'set', 'wan1', 'down')
    await vi.waitFor(async () => expect(await world.facts()).toEqual([]), PATIENCE)
  })

  it('learns by dhcpcd what routers say of name servers, and a lease of DHCPv6', async () => {
    await world.startClient()
    world.startProvider(
      '198.51.100.10,198.51.100.20,255.255.255.0,10m',
      '2001:db8:a::100,2001:db8:a::1ff,64,10m'
    )
    world.startDhcpcd('ipv6rs', 'interface wan1', '  ia_na 1')
    await expectFacts(
      'resolver 2001:db8:a::53 ra used',
      'resolver 2001:db8:a::53 dhcpv6 used',
      /^prefix 2001:db8:a::1[0-9a-f]{2}\/128 dhcpv6 used$/,
      'prefix 2001:db8:a::/64 ra used'
    )
  })

  it('learns a lease by dhclient and the script of its package, and forgets it when it is given back', async () => {
    await world.startClient()
    world.startProvider('198.51.100.10,198.51.100.20,255.255.255.0,10m')
    world.startDhclient(['-4'])
    await expectFacts(
      /^prefix 198\.51\.100\.\d+\/32 dhcpv4 used$/,
      'resolver 198.51.100.53 dhcpv4 used',
      'gateway 198.51.100.1 dhcpv4 noted',
      'search-domain isp-a.example dhcpv4 noted'
    )
    world.startDhclient(['-4', '-r'])
    await vi.waitFor(async () => expect(await world.facts()).toEqual([]), PATIENCE)
  })

  it.skipIf(noManager !== undefined)(
    'learns by NetworkManager and its dispatcher what leases and routers say, the next address, and that the connection is down',
    async () => {
      await world.startClient()
      await world.startLeasing('198.51.100.10')
      world.startProvider('2001:db8:a::100,2001:db8:a::1ff,64,10m')
      const manager = new NetworkManager(world)
      await expectFacts(
        'prefix 198.51.100.10/32 dhcpv4 used',
        /^prefix 2001:db8:a::1[0-9a-f]{2}\/128 dhcpv6 used$/,
        'resolver 2001:db8:a::53 dhcpv6 used'
      )
      // It says nothing of a lease that ran out: what it told of that ends by itself. The next one comes with the connection.
      await world.startLeasing('198.51.100.20')
      manager.command('connection', 'up', 'wan1')
      await expectFacts('prefix 198.51.100.20/32 dhcpv4 used')
      expect(await world.facts()).not.toContain('prefix 198.51.100.10/32 dhcpv4 used')
      expect(world.told()).not.toEqual([])
      manager.command('connection', 'down', 'wan1')
      await vi.waitFor(() => expect(world.told()).toEqual([]), PATIENCE)
      // The link stands, and the kernel may go on to hear the routers.
      const leased = async (): Promise<string[]> =>
        (await world.facts()).filter((fact) => fact.includes('dhcp'))
      await vi.waitFor(async () => expect(await leased()).toEqual([]), PATIENCE)
    }
  )

  it.each(['dhclient', 'dhcpcd'] as const)(
    'learns by %s the prefix that its provider delegates, then the next one, and none that nobody renews',
    async (name) => {
      const prefixes = async (): Promise<string[]> =>
        (await world.facts()).filter((fact) => fact.startsWith('prefix'))
      await world.startClient()
      await world.startDelegation('2001:db8:b00::/56')
      const dhcp =
        name === 'dhclient'
          ? world.startDhclient(['-6', '-P'])
          : world.startDhcpcd('noipv4', 'noipv6rs', 'interface wan1', '  ia_pd 1')
      await expectFacts('prefix 2001:db8:b00::/56 dhcpv6 used')
      await vi.waitFor(
        async () => expect(await world.canProtect('2001:db8:b00:7::1/128')).toBe(true),
        PATIENCE
      )
      await world.startDelegation('2001:db8:c00::/56')
      await vi.waitFor(
        async () => expect(await prefixes()).toEqual(['prefix 2001:db8:c00::/56 dhcpv6 used']),
        PATIENCE
      )
      expect(await world.canProtect('2001:db8:b00:7::1/128')).toBe(false)
      await vi.waitFor(
        async () => expect(await world.canProtect('2001:db8:c00:7::1/128')).toBe(true),
        PATIENCE
      )
      // It calls no hook any more, and its last word holds until it ends.
      await killed(dhcp)
      await vi.waitFor(async () => expect(await prefixes()).toEqual([]), PATIENCE)
    }
  )
})
