import type { Entropy } from '@breakwater/core'
import { integerBelow } from '@breakwater/core'

/** Longest input made: more than a datagram can carry. */
const longest = 2048

/** A new input: one of the corpus with a few small wounds, or plain noise. */
export function mutate(corpus: readonly Uint8Array[], entropy: Entropy): Uint8Array {
  const start = corpus[integerBelow(entropy, corpus.length + 1)]
  let bytes = start?.slice() ?? entropy.bytes(integerBelow(entropy, 64))
  for (let wounds = integerBelow(entropy, 6); wounds >= 0; wounds--) bytes = wound(bytes, corpus, entropy)
  return bytes.subarray(0, longest)
}

function wound(bytes: Uint8Array, corpus: readonly Uint8Array[], entropy: Entropy): Uint8Array {
  const at = integerBelow(entropy, bytes.length + 1)
  switch (integerBelow(entropy, 7)) {
    case 0:
      return flipped(bytes, at, 1 << integerBelow(entropy, 8))
    case 1:
      return replaced(bytes, at, [0, 1, 0x7f, 0x80, 0xff, 0xf0][integerBelow(entropy, 6)] ?? 0)
    case 2:
      return bytes.slice(0, at)
    case 3:
      return joined(bytes.subarray(0, at), entropy.bytes(1 + integerBelow(entropy, 8)), bytes.subarray(at))
    case 4:
      return joined(bytes.subarray(0, at), bytes.subarray(at + 1 + integerBelow(entropy, 8)))
    case 5:
      return joined(bytes, bytes.subarray(at))
    default: {
      const other = corpus[integerBelow(entropy, Math.max(1, corpus.length))] ?? bytes
      return joined(bytes.subarray(0, at), other.subarray(integerBelow(entropy, other.length + 1)))
    }
  }
}

function flipped(bytes: Uint8Array, at: number, mask: number): Uint8Array {
  const changed = bytes.slice()
  if (at < changed.length) changed[at] = (changed[at] ?? 0) ^ mask
  return changed
}

function replaced(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const changed = bytes.slice()
  if (at < changed.length) changed[at] = value
  return changed
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
