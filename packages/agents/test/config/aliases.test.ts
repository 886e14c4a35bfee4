import { afterAll, describe, expect, it } from 'vitest'
import { formatIpPrefix } from '@breakwater/core'
import { loadClientConfig } from '../../src/config/load.ts'
import { siteOfConfig } from '../../src/config/site-of-config.ts'
import { mistakesOf, Sandbox } from './sandbox.ts'

const sandbox = new Sandbox()
afterAll(() => sandbox.remove())

function configOf(...aliases: readonly string[]): string {
  const text = `site:
  aliases:
${aliases.map((alias) => `    - ${alias}`).join('\n')}
domains:
  - name: isp-a
    prefixes: [203.0.113.0/24]
    sources: [203.0.113.10]
    mtuBytes: 1400
    server: { name: dots.isp-a.example, addresses: [192.0.2.1], action: divert }
    credentials: { pskIdentity: home, keyFile: good.psk }
`
  return sandbox.write('client.yaml', text)
}

function mistakes(...aliases: readonly string[]): string {
  return mistakesOf(() => loadClientConfig(configOf(...aliases)))?.join('\n') ?? ''
}

describe('the aliases of a client', () => {
  it('stand for prefixes, names and URIs, narrowed to ports and protocols', () => {
    const { site } = siteOfConfig(
      loadClientConfig(
        configOf(
          '{ name: shop, prefixes: [203.0.113.0/28], fqdns: [WWW.example.net], uris: ["https://pay.example.net"], ports: [{ lower: 80 }, { lower: 8000, upper: 8010 }], protocols: [6] }'
        )
      ).config
    )
    const [alias] = site.aliases ?? []
    expect(alias?.target.prefixes.map(formatIpPrefix)).toEqual(['203.0.113.0/28'])
    expect(alias).toMatchObject({
      name: 'shop',
      target: {
        names: ['www.example.net'],
        uris: [{ text: 'https://pay.example.net', ports: [{ lower: 443, upper: 443 }] }],
        ports: [
          { lower: 80, upper: 80 },
          { lower: 8000, upper: 8010 }
        ],
        protocols: [6]
      }
    })
    expect(site.domains[0]).toMatchObject({ mtu: 1400, servers: [{ action: 'divert' }] })
  })

  it.each([
    [['{ name: a }'], 'alias a stands for nothing'],
    [
      ['{ name: a, prefixes: [203.0.113.1/32] }', '{ name: a, fqdns: [b.example] }'],
      'two aliases are called a'
    ],
    [['{ name: a, fqdns: [192.0.2.1] }'], 'must be a DNS name, not an address'],
    [['{ name: a, fqdns: ["bücher.example"] }'], 'must be a DNS name'],
    [['{ name: a, uris: ["gopher://a.example"] }'], 'no port is known for gopher: name one in the URI'],
    [['{ name: a, uris: [www.example.net] }'], 'the URI names no host'],
    [['{ name: a, fqdns: [b.example], ports: [{ lower: 90, upper: 80 }] }'], 'the lower one comes first']
  ])('are refused where they are wrong: %j', (aliases, message) => {
    expect(mistakes(...aliases)).toContain(message)
  })
})
