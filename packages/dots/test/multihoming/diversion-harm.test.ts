import { describe, expect, it } from 'vitest'
import type { Site } from '../../src/domain/site.ts'
import { explain } from '../../src/multihoming/plan.ts'
import { compileSite } from '../../src/multihoming/site-plan.ts'
import { target, twoProviders } from './sites.ts'

/** The site with two providers, whose servers mitigate like this. */
function siteWhere(...actions: readonly ('in-place' | 'divert' | undefined)[]): Site {
  const domains = twoProviders.domains.map((domain, index) => {
    const action = actions[index]
    const servers = domain.servers.map((server) => (action === undefined ? server : { ...server, action }))
    return { ...domain, servers }
  })
  return { ...twoProviders, domains }
}

function warnings(site: Site, ...prefixes: string[]): string[] {
  return explain(target(...prefixes), compileSite(site)).warnings.map(({ text }) => text)
}

describe('RFC 8811 §2.3: two providers that divert the same traffic', () => {
  it('are both asked about what is the site’s own (RFC 9284 §5.2), and warned about', () => {
    const plan = explain(target('203.0.113.7/32'), compileSite(siteWhere('divert', 'divert')))
    expect(plan.parts[0]?.asked.map(({ server }) => server)).toEqual(['isp-a', 'isp-b'])
    expect(plan.warnings).toMatchObject([{ servers: ['isp-a', 'isp-b'] }])
    expect(plan.warnings[0]?.text).toBe(
      'isp-a and isp-b divert 203.0.113.7/32 to themselves and do not coordinate: ' +
        'one may divert what the other lets through (RFC 8811 §2.3)'
    )
  })

  it('are no harm to what only one of them is asked about', () => {
    expect(warnings(siteWhere('divert', 'divert'), '198.51.100.7/32')).toEqual([])
  })

  it.each([
    ['divert', 'in-place'],
    ['divert', undefined],
    [undefined, undefined]
  ] as const)('are not meant by %s and %s', (a, b) => {
    expect(warnings(siteWhere(a, b), '203.0.113.7/32')).toEqual([])
  })

  it('are not meant where they are attachments of one provider, which coordinates', () => {
    const both = siteWhere('divert', 'divert')
    const domains = both.domains.map(({ name }) => name)
    const site: Site = { ...both, providers: [{ name: 'one', domains, attachments: 'all' }] }
    expect(warnings(site, '203.0.113.7/32')).toEqual([])
  })
})
