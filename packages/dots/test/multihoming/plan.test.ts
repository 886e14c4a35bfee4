import { describe, expect, it } from 'vitest'
import type { Site } from '../../src/domain/site.ts'
import { explain } from '../../src/multihoming/plan.ts'
import { compileSite } from '../../src/multihoming/site-plan.ts'
import { ip, target, twoProviders } from './sites.ts'

const plan = compileSite(twoProviders)

describe('the explanation of a plan', () => {
  it('says whom it would ask and why, and why not the others', () => {
    const explanation = explain(target('198.51.100.7/32'), plan)
    expect(explanation.verdict).toBe('placed')
    const [part] = explanation.parts
    expect(part?.classText).toBe('assigned by isp-a')
    expect(part?.asked.map((each) => each.server)).toEqual(['isp-a'])
    expect(part?.asked[0]?.text).toContain('RFC 9284 §5.1')
    expect(part?.notAsked).toMatchObject([
      { server: 'isp-b', text: expect.stringContaining('isp-b did not assign 198.51.100.7/32') }
    ])
  })

  it('shows each part of a target that spans classes', () => {
    const explanation = explain(target('198.51.100.7/32', '203.0.113.7/32'), plan)
    expect(explanation.parts.map((part) => part.asked.map((each) => each.server))).toEqual([
      ['isp-a'],
      ['isp-a', 'isp-b']
    ])
  })

  it('is a refusal when nothing would leave', () => {
    const explanation = explain(target('198.51.100.7/32', '8.8.8.8/32'), plan)
    expect(explanation).toMatchObject({ verdict: 'refused', parts: [] })
    expect(explanation.refusals[0]?.text).toContain('8.8.8.8/32 belongs to no domain')
  })

  it('is partial when something is left out or a domain cannot be asked', () => {
    const mixed = target('198.51.100.7/32', '8.8.8.8/32')
    expect(explain(mixed, plan, { allowPartial: true }).verdict).toBe('partial')
    const [a, b] = twoProviders.domains
    const uncovered: Site = { ...twoProviders, domains: [a!, { ...b!, servers: [] }] }
    const explanation = explain(target('203.0.113.7/32'), compileSite(uncovered))
    expect(explanation.verdict).toBe('partial')
    expect(explanation.uncovered[0]?.text).toContain('isp-b has no DOTS server')
  })

  it('names what keeps a server out of reach', () => {
    const [a, b] = twoProviders.domains
    const site: Site = { ...twoProviders, domains: [{ ...a!, sources: [ip('2001:db8::1')] }, b!] }
    const [part] = explain(target('198.51.100.7/32'), compileSite(site)).parts
    expect(part?.asked[0]?.text).toContain('no legal path leads there: no source of the family of 192.0.2.1')
  })
})
