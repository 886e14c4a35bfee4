import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DhcpWorld, killed, obstacleOf } from './dhcp-world.ts'

const obstacle = obstacleOf()
if (obstacle !== undefined)
  it.skip(`a protection at a site of real DHCP servers: ${obstacle}`, () => undefined)

/** A renewal comes within seconds, a lease ends after 15 s, a session may follow another after 60 s (RFC 9132 §4.7). */
const PATIENCE = { timeout: 100_000, interval: 300 } as const

describe.skipIf(obstacle !== undefined)('a protection that stands', { timeout: 240_000 }, () => {
  let world: DhcpWorld
  beforeEach(() => {
    world = new DhcpWorld()
  })
  afterEach(() => world.end())

  const expectSession = (provider: 'isp-a' | 'isp-b') =>
    vi.waitFor(async () => expect(await world.hasSession(provider)).toBe(true), PATIENCE)

  /** A client that speaks to the server of isp-a from an address that nothing changes, whatever prefix is translated. */
  const startWithSession = async (): Promise<void> => {
    world.ip(world.site, 'address', 'add', '198.51.100.77/24', 'dev', 'wan1')
    await world.startServers()
    await world.startClient({
      translations: [
        ['fd00:9::/56', '2001:db8:b00::/56'],
        ['fd00:9::/56', '2001:db8:c00::/56']
      ]
    })
    await expectSession('isp-a')
  }

  /** As soon as the prefix is there. @returns its id. */
  const protect = async (prefix: string): Promise<string> => {
    await vi.waitFor(async () => expect(await world.canProtect(prefix)).toBe(true), PATIENCE)
    const answer = await world.control.protect({ prefixes: [prefix] })
    if (!answer.accepted) throw new Error(`refused: ${JSON.stringify(answer.plan)}`)
    return answer.protection.id
  }

  /**
   * All that a server heard since `count` requests were there, in whatever order: a client of DHCP may let go of a prefix before it
   * gets the next one. Where it changes at one moment, the next is asked for first (lab/scenarios/renumbering.ts).
   */
  const expectHeard = (provider: 'isp-a' | 'isp-b', count: number, ...wanted: readonly string[]) =>
    vi.waitFor(
      () => expect(world.heard(provider).slice(count).toSorted()).toEqual(wanted.toSorted()),
      PATIENCE
    )

  const expectState = (id: string, state: string) =>
    vi.waitFor(async () => expect((await world.control.protection(id)).state).toBe(state), PATIENCE)

  it.each(['dhclient', 'dhcpcd'] as const)('follows the prefix that is delegated to %s', async (name) => {
    await startWithSession()
    await world.startDelegation('2001:db8:b00::/56')
    if (name === 'dhclient') world.startDhclient(['-6', '-P'])
    else world.startDhcpcd('noipv4', 'noipv6rs', 'interface wan1', '  ia_pd 1')
    const id = await protect('fd00:9:0:7::1/128')
    await expectHeard('isp-a', 0, 'PUT 2001:db8:b00:7::1/128 created')
    await expectState(id, 'protected')
    await world.startDelegation('2001:db8:c00::/56')
    await expectHeard(
      'isp-a',
      1,
      'PUT 2001:db8:c00:7::1/128 created',
      'DELETE 2001:db8:b00:7::1/128 withdrawn'
    )
    await expectState(id, 'protected')
    expect(world.heard('isp-b')).toEqual([])
  })

  it('is withdrawn when nobody renews the prefix, and asked for when it is delegated again', async () => {
    await startWithSession()
    await world.startDelegation('2001:db8:b00::/56')
    const dhcp = world.startDhclient(['-6', '-P'])
    const id = await protect('fd00:9:0:7::1/128')
    await expectHeard('isp-a', 0, 'PUT 2001:db8:b00:7::1/128 created')
    // It calls no hook any more, and its last word holds until it ends.
    await killed(dhcp)
    await expectHeard('isp-a', 1, 'DELETE 2001:db8:b00:7::1/128 withdrawn')
    await expectState(id, 'waiting')
    world.startDhclient(['-6', '-P'])
    await expectHeard('isp-a', 2, 'PUT 2001:db8:b00:7::1/128 created')
    await expectState(id, 'protected')
  })

  it('follows the address that is leased, from which the client itself speaks', async () => {
    await world.startServers()
    await world.startClient({
      translations: [
        ['10.9.0.7/32', '198.51.100.10/32'],
        ['10.9.0.7/32', '198.51.100.20/32']
      ]
    })
    await world.startLeasing('198.51.100.10')
    world.startDhclient(['-4'])
    await expectSession('isp-a')
    const id = await protect('10.9.0.7/32')
    await expectHeard('isp-a', 0, 'PUT 198.51.100.10/32 created')
    await world.startLeasing('198.51.100.20')
    await expectHeard('isp-a', 1, 'PUT 198.51.100.20/32 created', 'DELETE 198.51.100.10/32 withdrawn')
    await expectState(id, 'protected')
    expect(await world.sources()).toEqual(['198.51.100.20'])
  })

  it('is asked of the next provider, too, when its lease arrives [RFC9284-5.2-M01]', async () => {
    await startWithSession()
    const own = await protect('198.18.7.7/32')
    await expectHeard('isp-a', 0, 'PUT 198.18.7.7/32 created')
    expect(await world.hasSession('isp-b')).toBe(false)
    world.startNextProvider('203.0.113.10,203.0.113.20,255.255.255.0,10m')
    world.startDhclient(['-4'], 'wan2')
    await expectHeard('isp-b', 0, 'PUT 198.18.7.7/32 created')
    await expectState(own, 'protected')
    expect(world.heard('isp-a')).toEqual(['PUT 198.18.7.7/32 created'])
  })
})
