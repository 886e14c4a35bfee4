import { Minutes, Seconds } from '@breakwater/core'
import { address } from '@breakwater/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { nameServerPaths } from '../../packages/dots/src/index.ts'
import {
  NAME_A,
  NAME_B,
  NamedServers,
  namedSite
} from '../../packages/dots/test/client/location/named-servers.ts'
import { ISP_A, ISP_B } from '../../packages/dots/test/client/two-providers.ts'

/*
 * RFC 9284 §5.1: the names of servers. Each provider has a name service that knows its own server, and nothing else. What
 * goes over the wire is shown in the lab: `resolver-of-one-provider-lies`.
 */

let names: NamedServers

beforeEach(() => {
  names = new NamedServers()
})

afterEach(() => names.close())

describe('RFC 9284 §5.1', () => {
  it("each server's name is asked of its own domain's name servers, and of no others [RFC9284-5.1-M01]", async () => {
    await names.start()
    expect(names.sessions()).toEqual({ 'isp-a': 'established', 'isp-b': 'established' })
    await names.world.advance(Minutes(30))
    expect(new Set(names.a.asked)).toEqual(new Set([NAME_A]))
    expect(new Set(names.b.asked)).toEqual(new Set([NAME_B]))
  })

  it('while they are dead, nobody else is asked in their place [RFC9284-5.1-M01]', async () => {
    names.a.isDead = true
    names.say(names.b, NAME_A, address('192.0.2.1'))
    await names.start()
    await names.world.advance(Minutes(10))
    expect(names.sessions()).toEqual({ 'isp-a': 'no-path', 'isp-b': 'established' })
    expect(names.b.asked).not.toContain(NAME_A)
    expect(names.textOf('isp-a')).toContain('nobody knows where server isp-a is')
  })

  it('a domain that has none asks nobody, and says so [RFC9284-5.1-M01]', async () => {
    await names.startServers()
    names.startClient({ resolvers: new Map([[ISP_B, names.b.resolver(Seconds(8))]]) })
    await names.world.advance(Minutes(10))
    expect(names.sessions()).toEqual({ 'isp-a': 'no-path', 'isp-b': 'established' })
    expect(names.b.asked).not.toContain(NAME_A)
    expect(names.textOf('isp-a')).toContain('domain isp-a has no name servers')
  })

  it.each([
    [ISP_A, 'wan-a', '198.51.100.1'],
    [ISP_B, 'wan-b', '100.64.7.1']
  ])('questions of %s leave by %s from %s alone [RFC9284-5.1-M01]', (domain, via, source) => {
    const nameServer = { address: address('192.0.2.53'), port: 53 }
    const paths = nameServerPaths(namedSite, domain, nameServer, 'udp')
    expect(paths).toEqual([{ address: nameServer, source: address(source), interface: via }])
  })

  it('what was learnt on the interface of another domain is asked by nobody [RFC9284-5.1-M01]', () => {
    const learnt = { address: address('192.0.2.53'), port: 53, interface: 'wan-b' }
    expect(nameServerPaths(namedSite, ISP_A, learnt, 'udp')).toEqual([])
  })
})
