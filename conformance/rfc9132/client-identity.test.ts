import { createHash } from 'node:crypto'
import { decodeMessage } from '@breakwater/coap'
import { Instant, WallTime, encodeUtf8 } from '@breakwater/core'
import { decodeSignal } from '@breakwater/model'
import { seededEntropy } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { protectionOf } from '../../packages/agents/src/client/wanted-protection.ts'
import { DotsClient, ProtectionId, cuidOf, pathText } from '../../packages/dots/src/index.ts'
import type { ConnectionId, Cuid, DomainName } from '../../packages/dots/src/index.ts'
import { twoProviders } from '../../packages/dots/test/multihoming/sites.ts'

interface Sent {
  readonly domain: DomainName | undefined
  readonly path: string
  readonly lifetime: number | undefined
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest()
}

/** A client with a key of its own at each provider, whose operator protects one address and says no more. */
function sent(): { readonly cuids: ReadonlyMap<DomainName, Cuid>; readonly requests: readonly Sent[] } {
  const cuids = new Map(
    twoProviders.domains.map(({ name }) => [name, cuidOf({ kind: 'psk', identity: `site.${name}` }, sha256)])
  )
  const client = new DotsClient({ site: twoProviders, cuids, entropy: seededEntropy(3) })
  const requests: Sent[] = []
  const owners = new Map<ConnectionId, DomainName>()
  let now = Instant(0)
  const drain = (): void => {
    for (let output = client.poll(); output !== undefined; output = client.poll()) {
      if (output.kind === 'connect') owners.set(output.connection, output.path.domain)
      if (output.kind !== 'send') continue
      const { code, options, payload } = decodeMessage(output.bytes)
      const path = pathText(options)
      if (code === 0 || code >= 32 || !path.includes('/mitigate')) continue
      const [scope] = payload.length === 0 ? [] : (decodeSignal(payload).mitigationScope?.scope ?? [])
      requests.push({ domain: owners.get(output.connection), path, lifetime: scope?.lifetime })
    }
  }
  client.handle({ kind: 'start', wallClock: WallTime(1_767_225_600_000) }, now)
  drain()
  for (const connection of owners.keys()) client.handle({ kind: 'session-established', connection }, now)
  const request = protectionOf({ id: ProtectionId('p'), request: { prefixes: ['198.51.100.7'] } })
  client.handle({ kind: 'protect', request }, now)
  drain()
  for (let turn = 0; turn < 10; turn++) {
    now = Instant(now + 1000)
    client.handleTimeout(now)
    drain()
  }
  return { cuids, requests }
}

describe('RFC 9132 §4.4.1.1: what a client says of itself', () => {
  it('is a cuid that it generated, of 22 characters, another one at each server [RFC9132-4.4.1.1-M02] [RFC9132-4.4.1.1-O01]', () => {
    const { cuids, requests } = sent()
    expect(new Set(cuids.values()).size).toBe(2)
    expect(new Set(requests.map(({ domain }) => domain)).size).toBe(2)
    for (const { domain, path } of requests) {
      const [, cuid] = /\/cuid=([^/]+)/.exec(path) ?? []
      expect(cuid).toMatch(/^[A-Za-z0-9_-]{22}$/)
      expect(cuid).toBe(domain === undefined ? '' : cuids.get(domain))
    }
    // The same as another implementation would make of that identity.
    const [first] = twoProviders.domains
    const digest = createHash('sha256')
      .update(encodeUtf8(`site.${first!.name}`))
      .digest()
    expect(cuids.get(first!.name)).toBe(digest.subarray(0, 16).toString('base64url'))
  })

  it('is a lifetime of 3600 seconds where its operator names none [RFC9132-4.4.1.1-S04]', () => {
    const lifetimes = sent().requests.flatMap(({ lifetime }) => lifetime ?? [])
    expect(lifetimes.length).toBeGreaterThan(0)
    expect(new Set(lifetimes)).toEqual(new Set([3600]))
  })
})
