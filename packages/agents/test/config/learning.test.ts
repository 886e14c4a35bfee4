import { afterAll, describe, expect, it } from 'vitest'
import { learnRulesOf } from '../../src/config/learning-of-config.ts'
import { loadClientConfig } from '../../src/config/load.ts'
import { mistakesOf, Sandbox } from './sandbox.ts'

const sandbox = new Sandbox()
afterAll(() => sandbox.remove())

function load(domains: string): ReturnType<typeof loadClientConfig> {
  return loadClientConfig(sandbox.write('client.yaml', `domains:\n${domains}`))
}

function rules(domains: string): string[] {
  return learnRulesOf(load(domains).config).map(
    ({ domain, interfaces, from, prefixes, resolvers }) =>
      `${domain} by ${interfaces.join(' ')} from ${[...from].join(' ')}` +
      `${prefixes ? ' prefixes' : ''}${resolvers ? ' resolvers' : ''}`
  )
}

function warnings(domains: string): string[] {
  return load(domains)
    .warnings.map(({ message }) => message)
    .filter((message) => message.includes('learn'))
}

describe('what a domain may learn', () => {
  it('is everything by its interfaces, where nothing else is said', () => {
    expect(rules('  - { name: a, interfaces: [w1, w2], learn: {} }\n  - { name: b }')).toEqual([
      'a by w1 w2 from dhcpv4 dhcpv6 ra pco drop prefixes resolvers'
    ])
  })

  it('is what its operator says', () => {
    expect(
      rules('  - { name: a, interfaces: [w1], learn: { interface: w9, from: [ra], prefixes: false } }')
    ).toEqual(['a by w9 from ra resolvers'])
  })

  it('is no name server where one is configured', () => {
    const resolver = '{ kind: plain, servers: [192.0.2.53] }'
    expect(rules(`  - { name: a, interfaces: [w1], learn: {}, resolver: ${resolver} }`)).toEqual([
      'a by w1 from dhcpv4 dhcpv6 ra pco drop prefixes'
    ])
  })

  it('is nothing for a service, which has no link', () => {
    expect(mistakesOf(() => load('  - { name: a }\n  - { name: s, kind: service, learn: {} }'))).toEqual([
      expect.stringMatching(/a service has no link to learn anything by/)
    ])
  })

  it('may be spoken of before it is known: standing requests, translations', () => {
    const scope = 'preconfigured: [{ prefixes: [2001:db8:1::80/128] }]'
    const mistakes = (learn: string): unknown =>
      mistakesOf(() => load(`  - { name: a, interfaces: [w1], ${learn}${scope} }`))
    expect(mistakes('learn: {}, ')).toBeUndefined()
    expect(mistakes('')).toEqual([expect.stringMatching(/is not for a to protect/)])
    expect(mistakes('learn: { prefixes: false }, ')).toEqual([
      expect.stringMatching(/is not for a to protect/)
    ])
  })

  it('is warned about where two learn alike, or one by nothing', () => {
    expect(warnings('  - { name: a, learn: {} }')).toEqual([
      'a names no interface: it learns only what names a'
    ])
    expect(
      warnings(
        '  - { name: a, learn: { interface: w } }\n  - { name: b, learn: { interface: w, from: [ra] } }'
      )
    ).toEqual(['a and b learn alike from one interface: only what names its domain is learnt'])
    expect(
      warnings(
        '  - { name: a, learn: { interface: w, from: [dhcpv4] } }\n  - { name: b, learn: { interface: w, from: [ra] } }'
      )
    ).toEqual([])
  })
})
