import { describe, expect, it } from 'vitest'
import { DomainName, ServerName } from '../../src/domain/identifier.ts'
import type { Site } from '../../src/domain/site.ts'
import { judgeAddresses } from '../../src/multihoming/found-address.ts'
import type { ProvenAddresses } from '../../src/multihoming/found-address.ts'
import { ip, twoProviders } from './sites.ts'

/* RFC 9284 §5.2: one address for the servers of two domains, as a name service gives it at run time. */

const [ispA, ispB] = twoProviders.domains
const OF_A = ip('192.0.2.1')
const OF_B = ip('192.0.2.129')
const NEW = ip('192.0.2.77')

/** The site in which isp-b gives its server by name; each domain has an interface that is its own. */
const site: Site = {
  ...twoProviders,
  domains: [
    ispA!,
    { ...ispB!, servers: ispB!.servers.map((each) => ({ ...each, addresses: [], isNamed: true })) }
  ]
}

function judge(
  found: readonly ReturnType<typeof ip>[],
  changes: Partial<Site> = {},
  proven: ProvenAddresses = new Map()
): ReturnType<typeof judgeAddresses> {
  const changed = { ...site, ...changes }
  return judgeAddresses(changed, changed.domains[1]!.servers[0]!, found, proven)
}

describe('an address that a name service gives', () => {
  it("is refused where it is configured as another domain's, though each session is bound to its own interface", () => {
    expect(judge([OF_A, OF_B])).toEqual({
      taken: [OF_B],
      refused: '192.0.2.1 is the address of server isp-a of isp-a'
    })
  })

  it("is refused where another domain's server has proved itself there", () => {
    const proven = new Map([[ServerName('isp-a'), [NEW]]])
    expect(judge([NEW], {}, proven).taken).toEqual([])
    expect(judge([NEW], {}, new Map([[ServerName('isp-b'), [NEW]]])).taken).toEqual([NEW])
  })

  it('is taken where both domains are attachments of one provider', () => {
    const domains = [DomainName('isp-a'), DomainName('isp-b')]
    const providers = [{ name: 'isp', domains, attachments: 'all' as const }]
    expect(judge([OF_A], { providers })).toEqual({ taken: [OF_A], refused: undefined })
    const others = [{ name: 'isp', domains: domains.slice(1), attachments: 'all' as const }]
    expect(judge([OF_A], { providers: others }).taken).toEqual([])
  })

  it('is taken where the operator answers for it', () => {
    expect(judge([OF_A], { allowsSharedServerAddresses: true })).toEqual({
      taken: [OF_A],
      refused: undefined
    })
  })
})
