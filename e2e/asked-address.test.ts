import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { obstacle } from '../packages/mitigators/test/network-namespace.ts'
import { PskServer } from './psk-server.ts'
import { ASKED, TwoUplinks } from './two-uplinks.ts'

/*
 * A server that listens on all addresses of a host with two uplinks, whose routing goes by the source address: an answer that
 * left from another address than was asked would be nobody's, and would leave by the wrong provider.
 */

const KEY = '10'.repeat(32)

describe.skipIf(obstacle !== undefined)('a server with several addresses and routing tables', () => {
  let network: TwoUplinks
  let server: PskServer | undefined

  beforeAll(async () => {
    network = new TwoUplinks()
    const listen = "[{ address: '0.0.0.0', port: 4646 }, { address: '::', port: 4646 }]"
    server = new PskServer({ listen, prefix: network.at('server') })
    await server.start()
  }, 60_000)

  afterAll(async () => {
    await server?.remove()
    network.destroy()
  })

  /** A whole handshake by somebody else's implementation, which takes answers from the asked address alone. */
  function handshake(address: string, transport: 'udp' | 'tcp'): string {
    const where = address.includes(':') ? `[${address}]:4646` : `${address}:4646`
    const how = transport === 'udp' ? ['-dtls1_2'] : ['-tls1_2', '-alpn', 'coap']
    const key = ['-psk_identity', 'home', '-psk', KEY, '-cipher', 'PSK']
    const args = ['openssl', 's_client', '-connect', where, ...how, ...key]
    const [program = '', ...rest] = [...network.at('home'), ...args]
    const { stdout, stderr } = spawnSync(program, rest, { input: '', encoding: 'utf8', timeout: 10_000 })
    return /^ +Cipher +: (?!0000)\S+/m.exec(stdout)?.[0]?.trim() ?? `no session: ${stdout}${stderr}`
  }

  for (const transport of ['udp', 'tcp'] as const)
    it.each(ASKED)(
      `answers over ${transport} from %s, by link %s, as it was asked`,
      (address, link) => {
        const before = network.answers(address)
        expect(handshake(address, transport)).toMatch(/^Cipher/)
        const after = network.answers(address)
        const other = link === 'a' ? 'b' : 'a'
        expect(after[link]).toBeGreaterThan(before[link])
        expect(after[other]).toBe(before[other])
      },
      20_000
    )

  it('is seen to answer by the other link, where the rule for its address is gone', () => {
    network.forgetRule('192.0.2.2')
    const before = network.answers('192.0.2.2')
    handshake('192.0.2.2', 'udp')
    const after = network.answers('192.0.2.2')
    expect(after.a).toBeGreaterThan(before.a)
    expect(after.b).toBe(before.b)
  }, 20_000)
})
