import { OutgoingBatch, decodeUtf8, encodeUtf8, ipv4, newPeerId } from '@breakwater/core'
import type { PeerId, SecureEndpoint, SecureStreamEndpoint } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { Listeners } from '../../src/server/listeners.ts'

/** What endpoints were given to send, in order. */
type Sent = string[]

/** An endpoint that knows one peer. */
class Endpoint implements SecureStreamEndpoint {
  readonly local = { address: ipv4(0x7f000001), port: 4646 }
  readonly peer = newPeerId()
  readonly #name: string
  readonly #sent: Sent
  declare sendBatch?: NonNullable<SecureEndpoint['sendBatch']>

  constructor(name: string, sent: Sent, takesBatches: boolean) {
    this.#name = name
    this.#sent = sent
    if (takesBatches) this.sendBatch = (batch) => void sent.push(`${name}: batch of ${batch.count}`)
  }

  send(peer: PeerId, bytes: Uint8Array): boolean {
    if (peer === this.peer) this.#sent.push(`${this.#name}: ${decodeUtf8(bytes)}`)
    return peer === this.peer
  }

  connect = (): PeerId => this.peer
  close = (): void => undefined
  maximumPlaintext = (): number => 1000
  stats = (): Readonly<Record<string, number>> => ({})
  destroy = (): Promise<void> => Promise.resolve()
}

/** Two datagrams to each peer, by a server that listens on these. */
async function sentTo(
  ...open: readonly { readonly name: string; readonly takesBatches: boolean }[]
): Promise<Sent> {
  const sent: Sent = []
  const endpoints = open.map(({ name, takesBatches }) => new Endpoint(name, sent, takesBatches))
  const waiting = [...endpoints]
  const next = (): Promise<Endpoint> => Promise.resolve(waiting.shift()!)
  const listeners = new Listeners(
    { open: next, openStream: next },
    { feed: () => undefined, together: (act) => act() }
  )
  await listeners.open(
    open.map(({ name }) => ({
      local: { address: ipv4(0x7f000001), port: 4646 },
      transport: name === 'tcp' ? 'tcp' : 'udp'
    }))
  )
  const batch = new OutgoingBatch()
  for (const text of ['one', 'two'])
    for (const { peer } of endpoints) {
      const bytes = encodeUtf8(text)
      const at = batch.add(peer, bytes.length)
      batch.memory.set(bytes, at)
    }
  listeners.sendBatch(batch)
  listeners.sendBatch(new OutgoingBatch())
  return sent
}

describe('a batch of datagrams', () => {
  const [dtls, other] = [
    { name: 'udp', takesBatches: true },
    { name: 'other', takesBatches: true }
  ]

  it('is handed on in one piece where there is one endpoint for datagrams, beside one for streams, too', async () => {
    expect(await sentTo(dtls)).toEqual(['udp: batch of 2'])
    expect(await sentTo({ name: 'tcp', takesBatches: false }, dtls)).toEqual(['udp: batch of 4'])
  })

  it('goes to the endpoint of each peer where there are several, or one that takes none', async () => {
    expect(await sentTo(dtls, other)).toEqual(['udp: one', 'other: one', 'udp: two', 'other: two'])
    expect(await sentTo({ ...dtls, takesBatches: false })).toEqual(['udp: one', 'udp: two'])
  })
})
