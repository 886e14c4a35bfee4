import { setTimeout as pause } from 'node:timers/promises'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import type { IcmpTold } from './backends/netns/icmp-party.ts'
import { Party } from './backends/netns/started-party.ts'
import { Namespace, obstacleToNamespaces } from './backends/netns/namespace.ts'
import { floodIcmpError, sendIcmpErrors } from './traffic/icmp-error.ts'
import type { IcmpErrorKind } from './traffic/icmp-error.ts'

/** client ── veth ── server, each in a namespace of its own; the errors name a router that does not exist. */
const clientAddress = '10.77.1.1'
const serverAddress = '10.77.1.2'
const router = '10.77.1.254'
const serverPort = 4646

const obstacle = await obstacleToNamespaces()
if (obstacle !== undefined) console.warn(`lab/icmp-errors.test.ts is skipped: ${obstacle}`)

const isNoHint = ({ kind }: IcmpTold): boolean => kind !== 'hint'

/** The counters of a namespace: `Icmp` `InTimeExcds`, say. */
async function counters(namespace: Namespace): Promise<(group: string, name: string) => number> {
  const lines = (await namespace.exec(['cat', '/proc/net/snmp'])).split('\n').map((line) => line.split(' '))
  return (group, name) => {
    const [names = [], values = []] = lines.filter(([first]) => first === `${group}:`)
    return Number(values[names.indexOf(name)])
  }
}

describe.skipIf(obstacle !== undefined)('RFC 7252 §4.2: forged ICMP errors and a session of ours', () => {
  let home: Namespace
  let away: Namespace
  let client: Party
  let server: Party
  let clientPort = 0
  const macs = { home: '', away: '' }

  beforeAll(async () => {
    const tag = `bwi${process.pid.toString(36)}`
    home = await Namespace.create(`${tag}-home`)
    away = await Namespace.create(`${tag}-away`)
    await home.ip([
      `link add name wan type veth peer name cust netns ${away.name}`,
      'link set dev lo up',
      'link set dev wan up',
      `addr add ${clientAddress}/24 dev wan`
    ])
    await away.ip(['link set dev lo up', 'link set dev cust up', `addr add ${serverAddress}/24 dev cust`])
    macs.home = (await home.exec(['cat', '/sys/class/net/wan/address'])).trim()
    macs.away = (await away.exec(['cat', '/sys/class/net/cust/address'])).trim()
    server = new Party(away, { role: 'server', own: serverAddress, server: serverAddress, serverPort })
    await server.until('ready')
    client = new Party(home, { role: 'client', own: clientAddress, server: serverAddress, serverPort })
    clientPort = (await client.until('ready')).port
    await Promise.all([client.until('established'), server.until('established')])
  }, 60_000)

  afterAll(async () => {
    await Promise.all([home?.destroy(), away?.destroy()])
  })

  /** Three of each kind, to both ends. */
  async function forge(kinds: readonly IcmpErrorKind[]): Promise<void> {
    const atClient = { address: clientAddress, port: clientPort }
    const atServer = { address: serverAddress, port: serverPort }
    const thrice = [...kinds, ...kinds, ...kinds]
    await sendIcmpErrors(
      away,
      'cust',
      { source: macs.away, destination: macs.home },
      thrice.map((kind) => ({ kind, router, to: atClient, about: atServer }))
    )
    await sendIcmpErrors(
      home,
      'wan',
      { source: macs.home, destination: macs.away },
      thrice.map((kind) => ({ kind, router, to: atServer, about: atClient }))
    )
  }

  /** A message each way arrives, and nothing else has happened. */
  async function isUndisturbed(bytes: number): Promise<void> {
    const [heardByClient, heardByServer] = [client.told.length, server.told.length]
    client.send(bytes)
    await server.until('received', heardByServer)
    server.send(bytes)
    await client.until('received', heardByClient)
    expect(client.told.slice(heardByClient).filter(isNoHint)).toEqual([{ kind: 'received', bytes }])
    expect(server.told.slice(heardByServer)).toEqual([{ kind: 'received', bytes }])
    expect([...client.told, ...server.told].filter(({ kind }) => kind === 'ended')).toEqual([])
  }

  it('"Source Quench" and "Time Exceeded" are ignored [RFC7252-4.2-S03]', async () => {
    await forge(['sourceQuench', 'timeExceeded'])
    await isUndisturbed(100)
    for (const each of [home, away]) {
      const count = await counters(each)
      expect(count('Icmp', 'InTimeExcds')).toBe(3)
      expect(count('Icmp', 'InSrcQuenchs')).toBe(3)
      expect(count('Icmp', 'InCsumErrors')).toBe(0)
    }
  })

  it('"fragmentation needed" is ignored: a datagram of 1200 bytes still leaves in one piece [RFC7252-4.2-S02]', async () => {
    await forge(['fragmentationNeeded'])
    await isUndisturbed(1150)
    for (const each of [home, away]) {
      const count = await counters(each)
      expect(count('Icmp', 'InDestUnreachs')).toBe(3)
      expect(count('Ip', 'FragCreates')).toBe(0)
    }
  })

  it('whoever says that something cannot be reached ends nothing [RFC7252-4.2-S01]', async () => {
    await forge(['portUnreachable', 'hostUnreachable', 'parameterProblem'])
    await isUndisturbed(100)
  })

  it('of a flood of them a client tells once a second, and loses no datagram by it [RFC7252-4.2-S01]', async () => {
    await forge(['portUnreachable'])
    const [toldBefore, heardBefore] = [client.told.length, server.told.length]
    const forgedBefore = (await counters(home))('Icmp', 'InDestUnreachs')
    const seconds = 3
    const flood = floodIcmpError(
      away,
      'cust',
      { source: macs.away, destination: macs.home },
      {
        kind: 'portUnreachable',
        router,
        to: { address: clientAddress, port: clientPort },
        about: { address: serverAddress, port: serverPort }
      }
    )
    const sent = 300
    const began = performance.now()
    for (let each = 0; each < sent; each++) {
      client.send(100)
      server.send(100)
      await pause((seconds * 1000) / sent)
    }
    const took = (performance.now() - began) / 1000
    await flood.stop()
    const forged = (await counters(home))('Icmp', 'InDestUnreachs') - forgedBefore
    const heard = (): number[] => [
      server.told.length - heardBefore,
      client.told.slice(toldBefore).filter(isNoHint).length
    ]
    for (let left = 100; left > 0 && heard().some((count) => count < sent); left--) await pause(50)
    expect(heard()).toEqual([sent, sent])
    expect(client.told.filter(({ kind }) => kind === 'ended')).toEqual([])
    const hints = client.told.slice(toldBefore).filter(({ kind }) => kind === 'hint')
    expect(hints.length).toBeGreaterThan(1)
    expect(hints.length).toBeLessThanOrEqual(took + 2)
    expect(forged).toBeGreaterThan(1000)
    await isUndisturbed(100)
  })
})
