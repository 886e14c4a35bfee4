import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { obstacle } from '../packages/mitigators/test/network-namespace.ts'
import { DotsProcess, dots, until } from './dots-process.ts'
import { PskServer } from './psk-server.ts'
import { TwoUplinks } from './two-uplinks.ts'

/*
 * `dots client` at home ══ a, b ══ `dots server` at 192.0.2.3, which is reached by both links and answers by the one that it was
 * asked by. Both links are of one provider (RFC 9284 §5.4), and a second session stands by.
 */

/** The kernel gathers changes of carriers for up to a second; a quiet link is told at once. */
const MOST_MILLISECONDS = 3000 * Number(process.env['TIMESCALE'] ?? '1')

const FLAPS = 5

interface Listing {
  readonly paths: readonly ListedPath[]
}

interface ListedPath {
  readonly interface: string
  readonly state: string
  readonly use: string
  readonly because: string
  readonly nextHop?: string
}

describe.skipIf(obstacle !== undefined)('a client of a provider with two links', () => {
  let network: TwoUplinks
  let server: PskServer
  let client: DotsProcess
  let socket: string

  const ip = (end: 'server' | 'home', words: string): void => {
    const [program = '', ...rest] = [...network.at(end), 'ip', ...words.split(' ')]
    execFileSync(program, rest, { stdio: 'pipe' })
  }

  beforeAll(async () => {
    network = new TwoUplinks()
    ip('server', 'addr add 192.0.2.3/32 dev lo')
    ip('home', 'route add default via 10.9.1.2 dev a metric 1')
    ip('home', 'route add default via 10.9.2.2 dev b metric 2')
    server = new PskServer({
      listen: "[{ address: '192.0.2.3', port: 4646 }]",
      prefix: network.at('server')
    })
    await server.start()
    socket = join(server.folder, 'client.sock')
    const config = join(server.folder, 'client.yaml')
    writeFileSync(
      config,
      `domains:
  - name: isp
    prefixes: [203.0.113.0/24]
    interfaces: [a, b]
    sources: [10.9.1.1, 10.9.2.1]
    server: { name: server.example, addresses: [192.0.2.3], transports: [udp] }
    credentials: { pskIdentity: home, keyFile: home.psk }
pathPool: { warmStandby: apart }
control: { socket: client.sock }
`
    )
    client = new DotsProcess(['client', '--config', config], {}, network.at('home'))
    await client.ready()
  }, 60_000)

  afterAll(async () => {
    await client.stop('SIGKILL')
    await server.remove()
    network.destroy()
  })

  const paths = async (): Promise<readonly ListedPath[]> => {
    const { stdout } = await dots(['path', 'list', '--json', '--socket', socket])
    return (JSON.parse(stdout) as Listing).paths
  }
  const used = async (use: string): Promise<string | undefined> =>
    (await paths()).find((path) => path.use === use)?.interface
  /** When the client wrote down an event, in milliseconds of the calendar. */
  const writtenAt = (event: string, since: number): number | undefined =>
    client.log
      .split('\n')
      .filter((line) => line.includes(`"${event}"`))
      .map((line) => Date.parse((JSON.parse(line) as { readonly time: string }).time))
      .find((time) => time >= since)

  /** Takes the far end of a link down. @returns milliseconds until the client wrote down that it has no carrier. */
  const cut = async (link: string | undefined): Promise<number> => {
    const since = Date.now()
    ip('server', `link set dev ${link} down`)
    const told = await until(
      () => writtenAt('link.down', since),
      () => `nobody noticed that ${link} has no carrier:\n${client.log}`
    )
    return told - since
  }
  const mend = async (link: string | undefined): Promise<void> => {
    const since = Date.now()
    ip('server', `link set dev ${link} up`)
    await until(
      () => writtenAt('link.up', since),
      () => `nobody noticed that ${link} has a carrier:\n${client.log}`
    )
  }
  const handshakes = (): number => server.process?.log.split('"session.established"').length ?? 0

  it('works over the other link as soon as the kernel says that the first one has no carrier', async () => {
    // RFC 9132 §4.7: the second session is set up a minute after the first one at the earliest.
    await vi.waitFor(async () => expect(await used('stand-by')).toBeDefined(), {
      timeout: 120_000,
      interval: 1000
    })
    const [first, second] = [await used('session'), await used('stand-by')]
    expect(new Set([first, second])).toEqual(new Set(['a', 'b']))
    const hops = (await paths()).map((path) => `${path.interface}: ${path.nextHop}`)
    expect(new Set(hops)).toEqual(new Set(['a: 10.9.1.2 on a', 'b: 10.9.2.2 on b']))
    const before = handshakes()
    expect(before).toBe(3)

    expect(await cut(first)).toBeLessThan(MOST_MILLISECONDS)
    expect(await used('session')).toBe(second)
    const down = (await paths()).filter((path) => path.interface === first)
    expect(new Set(down.map(({ state, because }) => `${state}: ${because}`))).toEqual(
      new Set([`down: ${first} has no carrier`])
    )
    const { code } = await dots(['protect', '203.0.113.7/32', '--wait', '--socket', socket])
    expect(code).toBe(0)

    // RFC 9132 §4.7: a session ends when its heartbeats count as lost, and not with a carrier that flaps.
    await mend(first)
    for (let flap = 0; flap < FLAPS; flap++) {
      expect(await cut(second)).toBeLessThan(MOST_MILLISECONDS)
      await mend(second)
    }
    expect(handshakes()).toBe(before)
    expect(client.log).not.toContain('"session.down"')
  }, 240_000)
})
