import { afterAll, describe, expect, it } from 'vitest'
import { planSiteFile } from '../../src/index.ts'
import { mistakesOf, Sandbox } from './sandbox.ts'

const sandbox = new Sandbox()
afterAll(() => sandbox.remove())

const good = `
domains:
  - name: isp-a
    prefixes: [2001:db8:1::/48]
    servers: [{ name: dots.isp-a.example, addresses: [192.0.2.1] }]
routers:
  - name: cpe
    exits: [{ domain: isp-a, interface: wan1, gateways: [fe80::1] }]
    links: [lan]
  - { name: inner, requestsFrom: [cpe] }
links:
  - name: lan
    hosts: [{ name: dots, interfaceId: '::53' }]
`

function mistakesWith(text: string, instead: string): string[] | undefined {
  expect(good).toContain(text)
  const file = sandbox.write('site.yaml', good.replace(text, instead))
  return mistakesOf(() => planSiteFile(file))?.map((mistake) => mistake.replace(/^(\d+):\d+/, '$1'))
}

describe('the file of a site', () => {
  it('becomes a plan', () => {
    const { links, hosts, problems } = planSiteFile(sandbox.write('good.yaml', good))
    expect(links.map(({ link, prefix, domain, router }) => [link, prefix, domain, router])).toEqual([
      ['lan', '2001:db8:1::/64', 'isp-a', 'cpe']
    ])
    expect(hosts[0]?.addresses.map(({ address }) => address)).toEqual(['2001:db8:1::53'])
    expect(problems).toEqual([])
  })

  it.each([
    [
      'domain: isp-a',
      'domain: ispa',
      '8 routers[0].exits[0].domain: there is no domain called "ispa"; did you mean "isp-a"?'
    ],
    [
      'links: [lan]',
      'links: [lam]',
      '9 routers[0].links[0]: there is no link called "lam"; did you mean "lan"?'
    ],
    [
      'requestsFrom: [cpe]',
      'requestsFrom: [cpu]',
      '10 routers[1].requestsFrom[0]: there is no router called "cpu"; did you mean "cpe"?'
    ],
    ['requestsFrom: [cpe]', 'requestsFrom: [inner]', '10 routers[1].requestsFrom[0]: inner asks itself'],
    ['links: [lan]', 'links: [lan, lan]', '9 routers[0].links[1]: lan is there twice'],
    ['name: inner', 'name: cpe', '10 routers[1].name: cpe is there twice'],
    [
      'gateways:',
      'gateway:',
      '8 routers[0].exits[0].gateway: unknown key "gateway"; did you mean "gateways"?'
    ],
    ['[fe80::1]', '[fe80::1, fe80::2]', '8 routers[0].exits[0].gateways[1]: a second IPv6 address; keep one'],
    [
      'wan1',
      "'a\"b'",
      '8 routers[0].exits[0].interface: must have letters, digits, dots, hyphens, underscores and @ only'
    ],
    [
      "'::53'",
      "'2001:db8::53'",
      '13 links[0].hosts[0].interfaceId: must be the last 64 bits of an IPv6 address, such as ::10'
    ],
    [
      'prefixes:',
      'preferredLifetimeSeconds: 9\n    validLifetimeSeconds: 8\n    prefixes:',
      '4 domains[0].preferredLifetimeSeconds: the preferred lifetime 9 is longer than the valid one, 8'
    ]
  ])('with "%s" made "%s" is refused with the place', (text, instead, mistake) => {
    expect(mistakesWith(text, instead)).toContain(mistake)
  })

  it('refuses two providers with one prefix', () => {
    const second = '  - { name: isp-b, prefixes: ["2001:db8:1::/48"] }\nrouters:'
    expect(mistakesWith('routers:', second)?.[0]).toContain(
      '2001:db8:1::/48 is both assigned by isp-a and assigned by isp-b'
    )
  })
})
