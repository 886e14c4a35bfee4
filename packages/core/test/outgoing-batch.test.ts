import { OutgoingBatch, decodeUtf8, encodeUtf8, newPeerId } from '@breakwater/core'
import type { PeerId } from '@breakwater/core'
import { describe, expect, test } from 'vitest'

function put(batch: OutgoingBatch, peer: PeerId, text: string): void {
  const bytes = encodeUtf8(text)
  const at = batch.add(peer, bytes.length)
  batch.memory.set(bytes, at)
}

function held(batch: OutgoingBatch): [PeerId, string][] {
  return Array.from({ length: batch.count }, (_, i) => [batch.peer(i), decodeUtf8(batch.bytes(i))])
}

describe('OutgoingBatch', () => {
  const [first, second] = [newPeerId(), newPeerId()]

  test('holds what was written into it, one behind the other, however much it is', () => {
    const batch = new OutgoingBatch()
    const said = Array.from({ length: 100 }, (_, n): [PeerId, string] => [
      n % 2 === 0 ? first : second,
      'x'.repeat(n)
    ])
    for (const [peer, text] of said) put(batch, peer, text)
    expect(held(batch)).toEqual(said)
    expect([batch.start(3), batch.end(3)]).toEqual([3, 6])
  })

  test('has no plaintext beyond the last one', () => {
    const batch = new OutgoingBatch()
    put(batch, first, 'one')
    expect(() => batch.peer(1)).toThrow('no plaintext 1 in this batch')
    expect(() => batch.bytes(1)).toThrow('no plaintext 1 in this batch')
    expect(() => new OutgoingBatch().bytes(0)).toThrow('no plaintext 0 in this batch')
  })
})
