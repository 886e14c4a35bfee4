import { Method, OptionNumber, readUint, uintOption, uriPath } from '@breakwater/coap'
import { encodeSignal } from '@breakwater/model'
import type { MitigationScopeEntry } from '@breakwater/model'
import { CONTENT_FORMAT_DOTS_CBOR, DEFAULT_SERVER_POLICY } from '@breakwater/dots'
import type { ClientDomain } from '@breakwater/dots'
import { prefix } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import {
  CUID,
  EXAMPLE,
  OTHER,
  ServerBed,
  certificate,
  cuid,
  only
} from '../../packages/dots/test/server/server-bed.ts'
import type { Peer, Seen } from '../../packages/dots/test/server/server-bed.ts'

const GATEWAY: ClientDomain = {
  name: 'gateway',
  dnsNames: ['gateway.provider.example'],
  pskIdentities: [],
  prefixes: [prefix('203.0.113.0/24')],
  isGateway: true
}
/** A client with two certificates, and so two hashes. */
const BEHIND: ClientDomain = { ...OTHER, cdids: ['7eeaf349529eb55ed50113', 'dz6pHjaADkaFTbjr0JGBpw'] }

const FORMAT = uintOption(OptionNumber.contentFormat, CONTENT_FORMAT_DOTS_CBOR)

function putAs(peer: Peer, cdid: string, id: number, entry: MitigationScopeEntry, of: string = CUID): Seen {
  const path = uriPath('.well-known', 'dots', 'mitigate', `cdid=${cdid}`, `cuid=${of}`, `mid=${id}`)
  return only(
    peer.request(Method.put, [...path, FORMAT], encodeSignal({ mitigationScope: { scope: [entry] } }))
  )
}

function getAs(peer: Peer, cdid: string): Seen {
  const path = uriPath('.well-known', 'dots', 'mitigate', `cdid=${cdid}`, `cuid=${CUID}`)
  return only(peer.request(Method.get, path))
}

function bedWithGateway(): { bed: ServerBed; gateway: Peer } {
  const bed = new ServerBed({ domains: [EXAMPLE, BEHIND, GATEWAY] })
  return { bed, gateway: bed.establish(certificate('gateway.provider.example')) }
}

function bedWith(limits: Partial<typeof DEFAULT_SERVER_POLICY.limits>): ServerBed {
  return new ServerBed({ policy: { limits: { ...DEFAULT_SERVER_POLICY.limits, ...limits } } })
}

const THEIRS = { targetPrefix: ['198.51.100.7/32'], lifetime: 600 }

describe('RFC 9132 §4.4.1.2: who a gateway says that it asks for', () => {
  it('a gateway that is configured as trusted names the client by its cdid [RFC9132-4.4.1.2-S04]', () => {
    const { bed, gateway } = bedWithGateway()
    expect(putAs(gateway, '7eeaf349529eb55ed50113', 1, THEIRS).code).toBe('2.01')
    // The rights are the client's, not the gateway's.
    const own = { targetPrefix: ['203.0.113.7/32'], lifetime: 600 }
    expect(putAs(gateway, '7eeaf349529eb55ed50113', 2, own).code).toBe('4.00')
    expect(only(gateway.put(1, own, cuid('gateway-itself'))).code).toBe('2.01')
    expect(bed.machine.mitigations(bed.now).map(({ domain }) => domain)).toEqual(['other', 'gateway'])
  })

  it('all cdids of one client are equivalent: what one asked for is there under another [RFC9132-4.4.1.2-M02]', () => {
    const { gateway } = bedWithGateway()
    expect(putAs(gateway, '7eeaf349529eb55ed50113', 1, THEIRS).code).toBe('2.01')
    expect(putAs(gateway, 'dz6pHjaADkaFTbjr0JGBpw', 1, THEIRS).code).toBe('2.04')
    expect(getAs(gateway, 'dz6pHjaADkaFTbjr0JGBpw').code).toBe('2.05')
  })

  it('a cdid that means nobody is 4.01', () => {
    const { gateway } = bedWithGateway()
    expect(putAs(gateway, 'unknown', 1, THEIRS).code).toBe('4.01')
  })

  it('of anybody else a cdid is ignored [RFC9132-4.4.1.2-M04]', () => {
    const { bed } = bedWithGateway()
    const client = bed.establish()
    expect(putAs(client, '7eeaf349529eb55ed50113', 1, THEIRS).code).toBe('4.00')
    const own = { targetPrefix: ['192.0.2.7/32'], lifetime: 600 }
    expect(putAs(client, '7eeaf349529eb55ed50113', 1, own).code).toBe('2.01')
    expect(bed.machine.mitigations(bed.now).map(({ domain }) => domain)).toEqual(['example'])
  })

  it('survives a restart as who it is, and ends when the gateway is no longer to know it', () => {
    const { bed, gateway } = bedWithGateway()
    putAs(gateway, '7eeaf349529eb55ed50113', 1, THEIRS)
    bed.feed({ kind: 'domains', domains: [EXAMPLE, OTHER, GATEWAY] })
    expect(bed.plans()).toEqual([])
  })
})

describe('RFC 9132 §4.4.1.3, §11: what a server carries', () => {
  it('one client uses so many cuids at a time; a further one is 4.29 with a time to wait', () => {
    const bed = bedWith({ cuidsPerClient: 2 })
    const peer = bed.establish()
    const asked = [1, 2, 3].map((n) =>
      only(peer.put(1, { targetPrefix: [`192.0.2.${n}/32`], lifetime: 60 }, cuid(`cuid-${n}`)))
    )
    expect(asked.map(({ code }) => code)).toEqual(['2.01', '2.01', '4.29'])
    expect(readUint(asked[2]?.response.options ?? [], OptionNumber.maxAge)).toBe(120)
    // One that is in use goes on.
    expect(only(peer.put(2, { targetPrefix: ['192.0.2.9/32'], lifetime: 60 }, cuid('cuid-1'))).code).toBe(
      '2.01'
    )
    // And another client has its own.
    const second = bed.establish(certificate('second.example.net'))
    expect(only(second.put(1, { targetPrefix: ['192.0.2.10/32'], lifetime: 60 }, cuid('cuid-4'))).code).toBe(
      '2.01'
    )
  })

  it('near its capacity, a server takes requests of those that have less than their share [RFC9132-4.4.1.3-O02]', () => {
    const bed = bedWith({ mitigations: 10 })
    const greedy = bed.establish()
    const codes = Array.from({ length: 10 }, (_, n) => {
      const entry = { targetPrefix: [`192.0.2.${n}/32`], lifetime: 60 }
      return only(greedy.put(n, entry)).code
    })
    expect(codes.slice(0, 9).every((code) => code === '2.01')).toBe(true)
    expect(codes[9]).toBe('5.03')
    const modest = bed.establish(certificate('second.example.net'))
    expect(only(modest.put(1, { targetPrefix: ['192.0.2.200/32'], lifetime: 60 }, cuid('modest'))).code).toBe(
      '2.01'
    )
    expect(only(modest.put(2, { targetPrefix: ['192.0.2.201/32'], lifetime: 60 }, cuid('modest'))).code).toBe(
      '5.03'
    )
  })
})
