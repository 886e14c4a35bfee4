import { formatIpPrefix } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import type { Site } from '../../src/domain/site.ts'
import { checkSite } from '../../src/multihoming/check-site.ts'
import { place } from '../../src/multihoming/placement.ts'
import { explain } from '../../src/multihoming/plan.ts'
import { compileSite } from '../../src/multihoming/site-plan.ts'
import { translate } from '../../src/multihoming/translation.ts'
import { net, target, twoProviders } from './sites.ts'

const [ispA, ispB] = twoProviders.domains

/** 10.0.0.0/16 is internal: isp-a translates a part one to one, isp-b another to one host; the rest is translated by nobody. */
const site: Site = {
  ...twoProviders,
  domains: [
    { ...ispA!, translations: [{ internal: net('10.0.1.0/25'), external: net('198.51.100.128/25') }] },
    { ...ispB!, translations: [{ internal: net('10.0.1.0/24'), external: net('100.64.7.9/32') }] }
  ],
  internal: [net('10.0.0.0/16')]
}
const plan = compileSite(site)

function asked(...prefixes: string[]): string[] {
  return place(target(...prefixes), plan).assignments.map((each) => {
    return `${each.server}: ${each.target.prefixes.map(formatIpPrefix).join(' ')}`
  })
}

function codes(changes: Partial<Site>): string[] {
  return checkSite({ ...site, ...changes }).map(({ code }) => code)
}

/** With a translation by isp-a alone. */
function byA(internal: string, external: string): Partial<Site> {
  const translations = [{ internal: net(internal), external: net(external) }]
  return { domains: [{ ...ispA!, translations }, ispB!] }
}

describe('internal addresses behind translators', () => {
  it('are asked for as the world sees them, of each domain that translates them', () => {
    expect(asked('10.0.1.5/32')).toEqual(['isp-a: 198.51.100.133/32', 'isp-b: 100.64.7.9/32'])
    expect(asked('10.0.1.200/32')).toEqual(['isp-b: 100.64.7.9/32'])
  })

  it('wait where nobody translates them, and do not keep the rest', () => {
    const placement = place(target('10.0.2.5/32'), plan)
    expect(placement).toMatchObject({ assignments: [], refusals: [] })
    expect(placement.waiting[0]?.text).toContain('10.0.2.5/32 is internal, and no provider translates it')
    expect(asked('10.0.2.5/32', '198.51.100.7/32')).toEqual(['isp-a: 198.51.100.7/32'])
  })

  it('are cut where translations begin and end', () => {
    const placement = place(target('10.0.0.0/23'), plan)
    expect(placement.waiting.flatMap(({ prefixes }) => prefixes)).toEqual([net('10.0.0.0/24')])
    expect(asked('10.0.0.0/23').toSorted()).toEqual(['isp-a: 198.51.100.128/25', 'isp-b: 100.64.7.9/32'])
  })

  it('never leave as they are', () => {
    for (const text of ['10.0.1.5/32', '10.0.0.0/23', '10.0.1.0/24', '10.0.0.0/16'])
      expect(asked(text).join(' ')).not.toContain(' 10.')
  })

  it('are explained', () => {
    const explanation = explain(target('10.0.1.200/32'), plan)
    expect(explanation.translated).toEqual([
      { domain: 'isp-b', internal: net('10.0.1.200/32'), external: net('100.64.7.9/32') }
    ])
    expect(explain(target('10.0.2.5/32'), plan).verdict).toBe('waiting')
    expect(explain(target('10.0.2.5/32', '8.8.8.8/32'), plan).verdict).toBe('refused')
    expect(explain(target('10.0.2.5/32', '198.51.100.7/32'), plan).verdict).toBe('partial')
  })

  it('keep the bits of the host, in IPv6, too', () => {
    const mapping = { internal: net('fd00:1:2:40::/58'), external: net('2001:db8:a:80::/58') }
    expect(formatIpPrefix(translate(mapping, net('fd00:1:2:6f:1::5/128')))).toBe('2001:db8:a:af:1::5/128')
    expect(formatIpPrefix(translate(mapping, net('fd00:1:2:60::/60')))).toBe('2001:db8:a:a0::/60')
  })

  it('are refused at load where they are anybody’s, or lead to another', () => {
    expect(codes({})).toEqual([])
    expect(codes({ internal: [net('203.0.113.0/25')] })).toEqual(['INTERNAL_WITH_CLASS'])
    expect(codes(byA('10.0.1.0/24', '100.64.7.0/24'))).toEqual(['TRANSLATION_OF_OTHER'])
    expect(codes(byA('10.0.1.0/24', '198.51.100.0/25'))).toEqual(['TRANSLATION_OF_LENGTHS'])
    expect(codes(byA('203.0.113.0/24', '198.51.100.0/24'))).toEqual(['INTERNAL_WITH_CLASS'])
  })
})
