import { formatIpPrefix } from '@breakwater/core'
import { prefix } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { effectiveTarget, hostNames, plainRequest } from '../../src/domain/requested-target.ts'
import { normalName, parseTargetUri } from '../../src/signal/target-uri.ts'
import type { TargetUri } from '../../src/domain/requested-target.ts'

function uri(text: string): TargetUri {
  const parsed = parseTargetUri(text, 'test')
  if (!parsed.ok) throw new Error(parsed.problem.diagnostic)
  return parsed.value
}

describe('target-uri', () => {
  it.each<[string, string, number, number[]]>([
    ['https://www.example.net/', 'www.example.net', 443, [6, 17]],
    ['HTTP://WWW.Example.NET.', 'www.example.net', 80, [6]],
    ['https://user@www.example.net:8443/path?x#y', 'www.example.net', 8443, [6, 17]],
    ['coaps://a.example', 'a.example', 5684, [17]],
    ['unheard-of://a.example:99', 'a.example', 99, []],
    ['http://192.0.2.7', '192.0.2.7/32', 80, [6]],
    ['http://[2001:db8::7]:8080/', '2001:db8::7/128', 8080, [6]]
  ])('%s', (text, host, port, protocols) => {
    const parsed = uri(text)
    expect(parsed.host.kind === 'name' ? parsed.host.name : formatIpPrefix(parsed.host.prefix)).toBe(host)
    expect(parsed.ports).toEqual([{ lower: port, upper: port }])
    expect(parsed.protocols).toEqual(protocols)
  })

  it.each([
    '',
    'www.example.net',
    'http://',
    'http:///x',
    'http://a b/',
    'http://a:70000',
    'http://a:x',
    'foo://a'
  ])('%j names nothing that could be protected', (text) => {
    expect(parseTargetUri(text, 'test').ok).toBe(false)
  })

  it.each([
    '',
    '.',
    'a..b',
    '-a.example',
    'a'.repeat(64),
    `${'a.'.repeat(127)}aa`,
    'a b',
    '192.0.2.999',
    '7'
  ])('%j is no domain name', (text) => {
    expect(normalName(text)).toBeUndefined()
  })
})

describe('what a request comes down to', () => {
  it('joins what its URIs say, each host once', () => {
    const requested = {
      ...plainRequest({ prefixes: [], ports: [], protocols: [] }),
      uris: [uri('http://a.example'), uri('coap://a.example'), uri('http://192.0.2.7:81')]
    }
    expect(hostNames(requested)).toEqual(['a.example'])
    const target = effectiveTarget(requested, [prefix('192.0.2.8/32'), prefix('192.0.2.7/32')])
    expect(target.prefixes.map((each) => formatIpPrefix(each))).toEqual(['192.0.2.7/32', '192.0.2.8/32'])
    expect(target.ports.map(({ lower }) => lower)).toEqual([80, 5683, 81])
    expect(target.protocols).toEqual([6, 17])
  })

  it('never narrows a part that asked for all ports', () => {
    const requested = {
      ...plainRequest({ prefixes: [prefix('192.0.2.0/28')], ports: [], protocols: [] }),
      uris: [uri('https://a.example')]
    }
    expect(effectiveTarget(requested, [])).toMatchObject({ ports: [], protocols: [] })
  })
})
