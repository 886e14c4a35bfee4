import { Instant } from '@breakwater/core'
import type { IpAddress } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { ServerLocator } from '../../../src/client/location/server-locator.ts'
import type { ServerLocatorOutput } from '../../../src/client/location/server-locator.ts'
import type { NameOutcome } from '../../../src/client/names/name-outcome.ts'
import { ServerName } from '../../../src/domain/identifier.ts'
import { ISP_A } from '../two-providers.ts'
import { withDomain } from '../site/site-variants.ts'
import { ADDRESS_A, ADDRESS_B, NAME_A, namedSite } from './named-servers.ts'

const SERVER = ServerName('isp-a')
const NOW = Instant(0)

/** The same server of the same provider, by another name. */
const renamed = withDomain(namedSite, ISP_A, {
  servers: namedSite.domains
    .flatMap(({ servers }) => servers)
    .filter(({ name }) => name === SERVER)
    .map((server) => ({ ...server, referenceName: 'new.isp-a.example' }))
})

function answer(to: IpAddress): NameOutcome {
  return { kind: 'addresses', addresses: [to], ttlSeconds: 60 }
}

/** Questions by the name that they ask for. */
function questionsOf(locator: ServerLocator): ReadonlyMap<string, number> {
  const outputs: ServerLocatorOutput[] = []
  for (let output = locator.poll(); output !== undefined; output = locator.poll()) outputs.push(output)
  const asked = outputs.flatMap((each) =>
    each.kind === 'ask' ? [[each.server.referenceName, each.question] as const] : []
  )
  return new Map(asked)
}

describe('where a server is that is known by its name', () => {
  it('an answer for the name that it had before the site changed does not say', () => {
    const locator = new ServerLocator(namedSite)
    locator.handle({ kind: 'start' }, NOW)
    const before = questionsOf(locator).get(NAME_A) ?? 0
    locator.handle({ kind: 'site', site: renamed }, NOW)
    const now = questionsOf(locator).get('new.isp-a.example') ?? 0
    locator.handle({ kind: 'answered', question: before, outcome: answer(ADDRESS_B) }, NOW)
    expect(locator.isReady(SERVER)).toBe(false)
    locator.handle({ kind: 'answered', question: now, outcome: answer(ADDRESS_A) }, NOW)
    expect(locator.location(SERVER).addresses).toEqual([ADDRESS_A])
  })

  it('asks again where a resolver never ends, and takes no late answer', () => {
    const locator = new ServerLocator(namedSite)
    locator.handle({ kind: 'start' }, NOW)
    const first = questionsOf(locator).get(NAME_A) ?? 0
    locator.handleTimeout(Instant(14_999))
    expect(questionsOf(locator).size).toBe(0)
    locator.handleTimeout(Instant(15_000))
    expect(locator.location(SERVER).trouble).toBe('the resolver gave no answer')
    locator.handleTimeout(Instant(18_000))
    const second = questionsOf(locator).get(NAME_A) ?? 0
    locator.handle({ kind: 'answered', question: first, outcome: answer(ADDRESS_B) }, Instant(18_001))
    locator.handle({ kind: 'answered', question: second, outcome: answer(ADDRESS_A) }, Instant(18_002))
    expect(locator.location(SERVER).addresses).toEqual([ADDRESS_A])
  })
})
