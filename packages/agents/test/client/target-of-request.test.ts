import { formatIpPrefix } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { wantedOfRequest } from '../../src/client/target-of-request.ts'

describe('the target of a command', () => {
  it('takes prefixes as they are, and an address for itself alone', () => {
    const { target, named } = wantedOfRequest({ prefixes: ['203.0.113.0/28', '203.0.113.7', '2001:db8::1'] })
    expect(target.prefixes.map(formatIpPrefix)).toEqual([
      '203.0.113.0/28',
      '203.0.113.7/32',
      '2001:db8::1/128'
    ])
    expect(named).toBeUndefined()
  })

  it('takes names in one spelling, URIs as they are, and aliases', () => {
    const { named } = wantedOfRequest({
      fqdns: ['WWW.Example.NET.', 'xn--bcher-kva.example'],
      uris: ['https://user:pass@www.example.net:8443/x', 'coaps://[2001:db8::7]/'],
      aliases: ['web']
    })
    expect(named).toMatchObject({
      names: ['www.example.net', 'xn--bcher-kva.example'],
      uris: [
        { host: { kind: 'name', name: 'www.example.net' }, ports: [{ lower: 8443, upper: 8443 }] },
        { host: { kind: 'address' }, ports: [{ lower: 5684, upper: 5684 }], protocols: [17] }
      ],
      aliases: ['web']
    })
  })

  it('keeps nothing of who logs in with a URI, not even where it is refused', () => {
    const uris = ['https://user:secret@www.example.net:8443/x?to=a@b']
    expect(wantedOfRequest({ uris }).named?.uris[0]?.text).toBe('https://www.example.net:8443/x?to=a@b')
    expect(() => wantedOfRequest({ uris: ['foo://user:secret@a@b.example/'] })).toThrow(/^(?!.*secret)/)
  })

  it.each(['203.0.113.7/28', '203.0.113', '0177.0.0.1', 'home.example', ''])('refuses %j', (text) => {
    expect(() => wantedOfRequest({ prefixes: [text] })).toThrow(/no address and no prefix/)
  })

  it.each([
    ['bücher.example', '"bücher.example" is no domain name; in the DNS it is xn--bcher-kva.example'],
    ['192.0.2.1', '"192.0.2.1" is an address: it is a target by itself'],
    ['2001:db8::1', '"2001:db8::1" is an address: it is a target by itself'],
    ['192.0.2.999', '"192.0.2.999" is no domain name'],
    ['*.example.net', '"*.example.net" is no domain name'],
    ['a b', '"a b" is no domain name'],
    ['', '"" is no domain name'],
    [`${'a'.repeat(64)}.example`, `"${'a'.repeat(64)}.example" is no domain name`]
  ])('refuses the name %j', (name, message) => {
    expect(() => wantedOfRequest({ fqdns: [name] })).toThrow(message)
  })

  it.each([
    ['www.example.net', 'the URI names no host'],
    ['gopher://www.example.net', 'no port is known for gopher: name one in the URI'],
    ['http://www.example.net:70000/', '70000 is no port']
  ])('refuses the URI %j', (uri, message) => {
    expect(() => wantedOfRequest({ uris: [uri] })).toThrow(message)
  })

  it('refuses nothing, and ports that would narrow nothing', () => {
    expect(() => wantedOfRequest({})).toThrow('the target names nothing')
    const ports = [{ lower: 80, upper: 80 }]
    expect(() => wantedOfRequest({ uris: ['http://www.example.net'], ports })).toThrow('a URI says its own')
  })

  it('refuses ports upside down', () => {
    const ports = [{ lower: 90, upper: 80 }]
    expect(() => wantedOfRequest({ prefixes: ['203.0.113.7'], ports })).toThrow(/the lower one comes first/)
  })
})
