import { Seconds } from '@breakwater/core'
import type { MitigationScopeEntry } from '@breakwater/model'
import { describe, expect, it } from 'vitest'
import { ServerBed, entryOf, only } from '../../packages/dots/test/server/server-bed.ts'
import type { Peer } from '../../packages/dots/test/server/server-bed.ts'

const TARGET = { targetPrefix: ['192.0.2.7/32'], lifetime: 3600 }

/** A server that reads its counters every five minutes, when a bucket is full. */
function bedWithBuckets(): { bed: ServerBed; peer: Peer } {
  const bed = new ServerBed({ policy: { statusInterval: Seconds(300) } })
  const peer = bed.establish()
  peer.put(1, TARGET)
  return { bed, peer }
}

/** What the device has counted by the end of this bucket. */
function bucketEnds(bed: ServerBed, packets: bigint, bytes: bigint): void {
  bed.counters = new Map([...bed.inForce.keys()].map((id) => [id, { packets, bytes }]))
  bed.advance(Seconds(300))
}

function shown(peer: Peer): Partial<MitigationScopeEntry> {
  const { bytesDropped, bpsDropped, pktsDropped, ppsDropped } = entryOf(only(peer.get(1)))
  return { bytesDropped, bpsDropped, pktsDropped, ppsDropped } as Partial<MitigationScopeEntry>
}

describe('RFC 9132 §4.4.2: dropped traffic', () => {
  it('bytes per second are the mean of five-minute buckets since the mitigation was triggered [RFC9132-4.4.2-S02]', () => {
    const { bed, peer } = bedWithBuckets()
    bucketEnds(bed, 0n, 600_000n)
    expect(shown(peer)).toMatchObject({ bytesDropped: 600_000n, bpsDropped: 2000n })
    bucketEnds(bed, 0n, 600_000n)
    // (2000 + 0) / 2
    expect(shown(peer)).toMatchObject({ bpsDropped: 1000n })
    bucketEnds(bed, 0n, 2_400_000n)
    // (2000 + 0 + 6000) / 3
    expect(shown(peer)).toMatchObject({ bytesDropped: 2_400_000n, bpsDropped: 2666n })
  })

  it('packets per second alike [RFC9132-4.4.2-S03]', () => {
    const { bed, peer } = bedWithBuckets()
    bucketEnds(bed, 3000n, 0n)
    expect(shown(peer)).toMatchObject({ pktsDropped: 3000n, ppsDropped: 10n })
    bucketEnds(bed, 9000n, 0n)
    // (10 + 20) / 2
    expect(shown(peer)).toMatchObject({ pktsDropped: 9000n, ppsDropped: 15n })
  })

  it('the mean does not sink by itself between two readings', () => {
    const { bed, peer } = bedWithBuckets()
    bucketEnds(bed, 3000n, 600_000n)
    bed.advance(Seconds(250))
    expect(shown(peer)).toMatchObject({ bpsDropped: 2000n, ppsDropped: 10n })
  })

  it('of a preconfigured request, the time counts from when it came into force', () => {
    const bed = new ServerBed({ policy: { statusInterval: Seconds(300) } })
    const peer = bed.establish()
    peer.put(1, { ...TARGET, lifetime: 86_400, triggerMitigation: false })
    bed.advance(Seconds(5000))
    peer.answersHeartbeats = false
    bed.advance(Seconds(1))
    while (bed.inForce.size === 0) bed.advance(Seconds(1))
    const startedAt = bed.now
    bucketEnds(bed, 3000n, 600_000n)
    const again = bed.establish()
    const { bpsDropped = 0n } = shown(again)
    // The counters were read within these 300 s: never less than over all of them.
    expect(bpsDropped).toBeGreaterThanOrEqual(2000n)
    expect(bed.now - startedAt).toBe(300_000)
  })

  it('a device that counts anew does not make the total smaller', () => {
    const { bed, peer } = bedWithBuckets()
    bucketEnds(bed, 3000n, 600_000n)
    bucketEnds(bed, 10n, 2000n)
    expect(shown(peer)).toMatchObject({ pktsDropped: 3010n, bytesDropped: 602_000n })
  })

  it('what is unknown is left out, and not zero', () => {
    const { bed, peer } = bedWithBuckets()
    bed.counters = new Map()
    bed.advance(Seconds(300))
    expect(entryOf(only(peer.get(1)))).not.toHaveProperty('bytesDropped')
  })
})
