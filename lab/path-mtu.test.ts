import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { Namespace, obstacleToNamespaces } from './backends/netns/namespace.ts'
import { Party } from './backends/netns/started-party.ts'

/*
 *  client ── 1500 ── router ── 1400 ── server, each in a namespace of its own
 */
const clientAddress = '2001:db8:1::1'
const routerToClient = '2001:db8:1::ff'
const routerToServer = '2001:db8:2::ff'
const serverAddress = '2001:db8:2::1'
const serverPort = 4646

const obstacle = await obstacleToNamespaces()
if (obstacle !== undefined) console.warn(`lab/path-mtu.test.ts is skipped: ${obstacle}`)

describe.skipIf(obstacle !== undefined)('RFC 9132 §7.3: a link that carries less than was configured', () => {
  const namespaces: Namespace[] = []
  let client: Party
  let server: Party

  beforeAll(async () => {
    const tag = `bwm${process.pid.toString(36)}`
    const make = async (name: string, options = {}): Promise<Namespace> => {
      const made = await Namespace.create(`${tag}-${name}`, options)
      namespaces.push(made)
      return made
    }
    const home = await make('home')
    const router = await make('router', { router: true })
    const away = await make('away')
    await router.ip([
      `link add name left type veth peer name wan netns ${home.name}`,
      `link add name right mtu 1400 type veth peer name cust netns ${away.name}`,
      'link set dev left up',
      'link set dev right mtu 1400 up',
      `addr add ${routerToClient}/64 dev left`,
      `addr add ${routerToServer}/64 dev right`
    ])
    await home.ip([
      'link set dev lo up',
      'link set dev wan up',
      `addr add ${clientAddress}/64 dev wan`,
      `route add default via ${routerToClient}`
    ])
    await away.ip([
      'link set dev lo up',
      'link set dev cust mtu 1400 up',
      `addr add ${serverAddress}/64 dev cust`,
      `route add default via ${routerToServer}`
    ])
    const plan = { server: serverAddress, serverPort, mtu: 1500 }
    server = new Party(away, { ...plan, role: 'server', own: serverAddress })
    await server.until('ready')
    client = new Party(home, { ...plan, role: 'client', own: clientAddress })
    await Promise.all([client.until('established'), server.until('established')])
  }, 60_000)

  afterAll(async () => {
    await Promise.all(namespaces.map((namespace) => namespace.destroy()))
  })

  it('is told by its router, and what is sent after that arrives all the same, in pieces', async () => {
    client.send(1380)
    expect(await client.until('hint')).toEqual({ kind: 'hint', what: 'too-big', mtuBytes: 1400 })
    client.send(1380)
    expect(await server.until('received')).toEqual({ kind: 'received', bytes: 1380 })
    expect(client.told.filter(({ kind }) => kind === 'ended')).toEqual([])
  })
})
