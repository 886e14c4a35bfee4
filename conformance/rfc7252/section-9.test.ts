import { Code, encodeMessage, Method } from '@breakwater/coap'
import type { CoapMessage } from '@breakwater/coap'
import { formatIpAddress, parseIpAddress } from '@breakwater/core'
import type { SecureEndpoint, SessionEvent } from '@breakwater/core'
import { openDtlsEndpoint } from '@breakwater/dtls'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../../packages/dtls/test/eventually.ts'
import { answerToHello, Extension, readHello, Suite } from '../../packages/dtls/test/hello.ts'
import { ContentType, decodeRecords, encodeRecord } from '../../packages/dtls/test/dtls-wire.ts'
import { establishedIn, settle } from '../../packages/dtls/test/memory-pair.ts'
import { digestOfKey, newRawKey } from '../../packages/dtls/test/raw-keys.ts'
import { clientAddress, DtlsBed, psk, serverName } from '../dtls-bed.ts'

let bed: DtlsBed
beforeAll(() => void (bed = new DtlsBed()))
afterAll(() => bed.remove())

const request: CoapMessage = {
  type: 'confirmable',
  code: Method.get,
  messageId: 0x7d34,
  token: Buffer.of(1, 2, 3, 4),
  options: [],
  payload: Buffer.of()
}
const response: CoapMessage = {
  ...request,
  type: 'acknowledgement',
  code: Code.content,
  payload: Buffer.from('22.3 C')
}

interface Pair {
  readonly server: ReturnType<DtlsBed['server']>
  readonly client: ReturnType<DtlsBed['client']>
  readonly toServer: ReturnType<typeof establishedIn>
  readonly toClient: ReturnType<typeof establishedIn>
}

function establish(server = bed.server(), client = bed.client()): Pair {
  client.connect(server.local, serverName)
  const takings = settle(server, client)
  return { server, client, toServer: establishedIn(takings.client), toClient: establishedIn(takings.server) }
}

const outcome = (server: Pair['server'], client: Pair['client']): readonly unknown[] => {
  client.connect(server.local, serverName)
  const { server: atServer, client: atClient } = settle(server, client)
  return [atServer, atClient].map(({ reports }) => reports[0]?.kind === 'failed' && reports[0].reason)
}

const addressOf = (
  text: string,
  port = 0
): { address: NonNullable<ReturnType<typeof parseIpAddress>>; port: number } => {
  const address = parseIpAddress(text)
  if (address === undefined) throw new Error(text)
  return { address, port }
}

const sentBy = (engine: Pair['client']): readonly Uint8Array[] =>
  engine.take().datagrams.map(({ bytes }) => bytes)

describe('RFC 7252 §9.1.1 and §9.1.2: messages and sessions', () => {
  it('CoAP goes as application data, and nothing of it in the clear [RFC7252-9.1.1-M01]', () => {
    const { server, client, toServer, toClient } = establish()
    client.send(toServer, encodeMessage(request))
    server.send(toClient, encodeMessage(response))
    const datagrams = [...sentBy(client), ...sentBy(server)]
    const records = datagrams.flatMap((datagram) => decodeRecords(datagram))
    expect(records.map(({ type, epoch }) => [type, epoch])).toEqual([
      [ContentType.applicationData, 1],
      [ContentType.applicationData, 1]
    ])
    expect(datagrams.some((datagram) => Buffer.from(datagram).includes('22.3 C'))).toBe(false)
    expect(
      datagrams.some((datagram) => Buffer.from(datagram).includes(Buffer.of(0x7d, 0x34, 1, 2, 3, 4)))
    ).toBe(false)
  })

  it('an answer that was sealed in the session before is an answer to nothing [RFC7252-9.1.1-M02] [RFC7252-9.1.2-M01]', () => {
    const { server, client, toServer, toClient } = establish()
    client.send(toServer, encodeMessage(request))
    settle(server, client)
    server.send(toClient, encodeMessage(response))
    const late = sentBy(server)
    const next = establish(server, client)
    for (const datagram of late) client.feed(server.local, datagram)
    expect(client.take().plaintexts).toEqual([])
    server.send(next.toClient, encodeMessage(response))
    for (const datagram of sentBy(server)) client.feed(server.local, datagram)
    expect(client.take().plaintexts).toMatchObject([{ peer: next.toServer }])
  })

  it('a message of one session is not sent again in the next [RFC7252-9.1.1-M03]', () => {
    const { server, client, toServer, toClient } = establish()
    client.send(toServer, encodeMessage(request))
    settle(server, client)
    establish(server, client)
    expect(client.send(toServer, encodeMessage(request))).toBe(false)
    expect(server.send(toClient, encodeMessage(response))).toBe(false)
    expect([...sentBy(client), ...sentBy(server)]).toEqual([])
  })

  it('an answer leaves in the session that the question came by, though another has the same addresses [RFC7252-9.1.2-M02]', () => {
    const { server, client, toServer } = establish()
    const elsewhere = bed.client(psk, { local: { ...clientAddress, port: 40_001 } })
    const other = establish(server, elsewhere)
    client.send(toServer, encodeMessage(request))
    for (const datagram of sentBy(client)) server.feed(client.local, datagram)
    const [question] = server.take().plaintexts
    if (question === undefined) throw new Error('no question')
    server.send(question.peer, encodeMessage(response))
    const [answer] = server.take().datagrams
    for (const engine of [elsewhere, client]) engine.feed(server.local, answer?.bytes ?? Buffer.of(0))
    expect(elsewhere.take().plaintexts).toEqual([])
    expect(client.take().plaintexts).toMatchObject([{ peer: toServer }])
    expect(question.peer).not.toBe(other.toClient)
  })

  it('an answer without security, bare or in an unencrypted record, is none [RFC7252-9.1.2-M03]', () => {
    const { server, client, toServer } = establish()
    client.send(toServer, encodeMessage(request))
    client.take()
    // Long enough to pass for a record with its authentication.
    const bare = encodeMessage({ ...response, payload: Buffer.alloc(64, '22.3 C') })
    const header = { type: ContentType.applicationData, version: 0xfefd, epoch: 0, sequence: 9n }
    for (const datagram of [bare, encodeRecord(header, bare), encodeRecord({ ...header, epoch: 1 }, bare)])
      client.feed(server.local, datagram)
    const { plaintexts, reports } = client.take()
    expect([plaintexts, reports]).toEqual([[], []])
    expect(client.send(toServer, encodeMessage(request))).toBe(true)
  })
})

describe('RFC 7252 §9.1.3: who is at the other end', () => {
  it('the authority stands in SNI [RFC7252-9.1.3-S01]', () => {
    for (const client of [bed.client(), bed.client(psk)]) {
      client.connect(bed.server().local, serverName)
      const { extensions } = readHello(sentBy(client)[0] ?? Buffer.of())
      // RFC 6066 §3: length of the list, host_name (0), length of the name.
      const name = Buffer.concat([
        Buffer.of(0, serverName.length + 3, 0, 0, serverName.length),
        Buffer.from(serverName)
      ])
      expect(extensions.get(Extension.serverName)).toEqual(name)
    }
  })

  it('a server that was told of constrained peers takes the suite of each mode [RFC7252-9.1.3.1-M01] [RFC7252-9.1.3.2-M01] [RFC7252-9.1.3.3-M01]', () => {
    const { privateKey } = bed.serverCertificate
    const rawPublicKey = { kind: 'raw-public-key', privateKey, peerKeys: [newRawKey().digest] } as const
    const open = (): ReturnType<DtlsBed['server']> => bed.server({ rawPublicKey, constrainedPeers: true })
    const answer = (suite: number, rawKeys = false): ReturnType<typeof answerToHello> =>
      answerToHello(open(), clientAddress, { suites: [suite], rawKeys })
    expect(answer(Suite.pskAes128Ccm8).suite).toBe(Suite.pskAes128Ccm8)
    const certified = answer(Suite.ecdheEcdsaAes128Ccm8)
    expect(certified.suite).toBe(Suite.ecdheEcdsaAes128Ccm8)
    const raw = answer(Suite.ecdheEcdsaAes128Ccm8, true)
    expect(raw.suite).toBe(Suite.ecdheEcdsaAes128Ccm8)
    // RFC 7250 §3: the Certificate message (11) is the SubjectPublicKeyInfo.
    const shown = raw.messages.find(({ type }) => type === 11)
    expect(shown?.body.length).toBe(3 + 91)
  })

  it('a client that was told of constrained peers speaks those suites, too, and uses them where there is nothing else [RFC7252-9.1.3.1-M01] [RFC7252-9.1.3.3-M01]', () => {
    for (const [credentials, suite] of [
      [psk, Suite.pskAes128Ccm8],
      [bed.clientCertificate, Suite.ecdheEcdsaAes128Ccm8]
    ] as const) {
      const client = bed.client(credentials, { constrainedPeers: true })
      client.connect(bed.server().local, serverName)
      expect(readHello(sentBy(client)[0] ?? Buffer.of()).suites).toContain(suite)
    }
  })

  it('a raw key is one for ECDSA on P-256, in sessions of which either may know the other by several keys [RFC7252-9.1.3.2-M02] [RFC7252-9.1.3.2-M03] [RFC7252-9.1.3.2-O01]', () => {
    const [own, other] = [newRawKey('P-256'), newRawKey('P-256')]
    const server = bed.rawServer({ ...other.credentials, peerKeys: [newRawKey().digest, own.digest] })
    const { client } = establish(
      server,
      bed.client({ ...own.credentials, peerKeys: [newRawKey().digest, other.digest] })
    )
    expect(client.stats()).toMatchObject({ peers: 1 })
    expect(digestOfKey(own.credentials.privateKey)).toBe(own.digest)
  })

  it.for([
    [
      'a raw key [RFC7252-9.1.3.2-M04]',
      () => bed.client({ ...newRawKey().credentials, peerKeys: ['ab'.repeat(32)] })
    ],
    ['a certificate [RFC7252-9.1.3.3-M04] [RFC7252-9.1.3.3-M05]', () => bed.client()]
  ] as const)(
    'a client with %s names its curves, P-256 among them, and the uncompressed point format',
    ([, open]) => {
      const client = open()
      client.connect(bed.server().local, serverName)
      const { extensions } = readHello(sentBy(client)[0] ?? Buffer.of())
      const curves = extensions.get(Extension.supportedGroups)?.subarray(2) ?? Buffer.of()
      const secp256r1 = 23
      expect(Array.from({ length: curves.length / 2 }, (_, at) => curves.readUInt16BE(2 * at))).toContain(
        secp256r1
      )
      expect([...(extensions.get(Extension.pointFormats)?.subarray(1) ?? [])]).toContain(0)
    }
  )

  it('a certificate that has expired is refused on both sides [RFC7252-9.1.3.3-S01]', () => {
    const { authority } = bed
    const of = (name: string): ReturnType<typeof authority.credentials> => {
      const { certificate, privateKey } = authority.issue(name, { days: -1 })
      return { kind: 'certificate', certificate, privateKey, trustAnchors: authority.certificate }
    }
    expect(outcome(bed.server({ certificate: of(serverName) }), bed.client())).toEqual([
      'peer-alert',
      'certificate-refused'
    ])
    expect(outcome(bed.server(), bed.client(of('client.example')))).toEqual([
      'certificate-refused',
      'peer-alert'
    ])
  })

  it('a certificate counts only at the end of a sound path to a trust anchor [RFC7252-9.1.3.3-M06]', () => {
    const { authority } = bed
    const intermediate = authority.issueAuthority('intermediate')
    const neighbour = authority.issue('neighbour.example')
    const reached = (issuer: typeof neighbour, ...shown: readonly (typeof neighbour)[]): boolean => {
      const leaf = authority.issue(serverName, { issuer })
      const certificate = [leaf, ...shown].map((each) => each.certificate).join('')
      const server = bed.server({
        certificate: { ...bed.serverCertificate, certificate, privateKey: leaf.privateKey }
      })
      const client = bed.client()
      client.connect(server.local, serverName)
      return settle(server, client).client.reports[0]?.kind === 'established'
    }
    expect(reached(intermediate, intermediate)).toBe(true)
    expect(reached(intermediate)).toBe(false)
    expect(reached(neighbour, neighbour)).toBe(false)
  })

  it('with a peer that offers certificates and keys, a server goes by the key [RFC7252-9.1.3.3-S02]', () => {
    const suites = [Suite.ecdheEcdsaAes128Gcm, Suite.ecdhePskChacha20]
    expect(answerToHello(bed.server(), clientAddress, { suites }).suite).toBe(Suite.ecdhePskChacha20)
  })

  it('where a client has a key only, a server that has a certificate, too, goes by the key', () => {
    const both = { suites: [Suite.ecdhePskChacha20] }
    expect(answerToHello(bed.server(), clientAddress, both).suite).toBe(Suite.ecdhePskChacha20)
    const { server } = establish(bed.server(), bed.client(psk))
    expect(server.stats()).toMatchObject({ peers: 1 })
  })
})

describe('RFC 7252 §4.2 and §11.3: the socket', () => {
  const open: SecureEndpoint[] = []
  afterEach(() => Promise.all(open.splice(0).map((endpoint) => endpoint.destroy())))

  async function listen(text: string, port: number, heard: SessionEvent[]): Promise<SecureEndpoint> {
    const options = {
      role: 'server',
      local: addressOf(text, port),
      preSharedKeys: new Map([[psk.identity, psk.key]])
    } as const
    const endpoint = await openDtlsEndpoint(options, {
      onBatch: () => undefined,
      onSession: (event) => void heard.push(event)
    })
    open.push(endpoint)
    return endpoint
  }

  async function dial(text: string, port: number, heard: SessionEvent[]): Promise<SecureEndpoint> {
    const endpoint = await openDtlsEndpoint(
      { role: 'client', local: addressOf(text), credentials: psk },
      { onBatch: () => undefined, onSession: (event) => void heard.push(event) }
    )
    open.push(endpoint)
    endpoint.connect({ remote: addressOf(text, port), serverName })
    return endpoint
  }

  it('an ICMP error ends nothing: it cannot be told from a forged one [RFC7252-4.2-S01]', async () => {
    const probe = createSocket('udp4').bind(0, '127.0.0.1')
    await once(probe, 'listening')
    const { port } = probe.address()
    probe.close()
    await once(probe, 'close')
    const [atClient, atServer]: SessionEvent[][] = [[], []]
    // Nobody is at this port, and the kernel says so at once.
    const client = await dial('127.0.0.1', port, atClient ?? [])
    await eventually('the first flight', () => (client.stats()['datagramsOut'] ?? 0) > 0)
    await listen('127.0.0.1', port, atServer ?? [])
    await eventually('a session by the second', () => atClient?.length === 1)
    expect(atClient).toMatchObject([{ kind: 'established' }])
  })

  it.for([
    ['0.0.0.0', '127.0.0.3'],
    ['::', '::1']
  ] as const)(
    'a server on %s knows by which of its addresses it was asked [RFC7252-11.3-S04]',
    async ([any, own]) => {
      const [atServer, atClient]: SessionEvent[][] = [[], []]
      const server = await listen(any, 0, atServer ?? [])
      await dial(own, server.local.port, atClient ?? [])
      await eventually('a session', () => atServer?.length === 1 && atClient?.length === 1)
      const [event] = atServer ?? []
      expect(event?.kind === 'established' ? formatIpAddress(event.path.local.address) : event).toBe(own)
    }
  )
})
