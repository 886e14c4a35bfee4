import { Code, decodeMessage, formatMethod } from '@breakwater/coap'
import { Instant, Minutes, Seconds, WallTime } from '@breakwater/core'
import { decodeSignal } from '@breakwater/model'
import { seededEntropy } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { DotsClient, ProtectionId, checkSite, parseCuid } from '../../packages/dots/src/index.ts'
import type { ConnectionId, DomainName, Site } from '../../packages/dots/src/index.ts'
import { ScriptedServer, want } from '../../packages/dots/test/client/scripted-server.ts'
import type { Heard } from '../../packages/dots/test/client/scripted-server.ts'
import { target, twoProviders } from '../../packages/dots/test/multihoming/sites.ts'

const MITIGATE = '/.well-known/dots/mitigate'
const cuid = parseCuid('dz6pHjaADkaFTbjr0JGBpw')!
const net = want('net', target('198.51.100.0/24'), 3600, 'signal-loss')
const web = want('web', target('198.51.100.7/32'))

function puts(server: ScriptedServer): Heard[] {
  return server.requests(`PUT ${MITIGATE}`)
}

function siteWith(...prefixes: string[]): Site {
  const [first, ...others] = twoProviders.domains
  const preconfigured = [{ target: target(...prefixes), lifetime: 3600 }]
  return { ...twoProviders, domains: [{ ...first!, preconfigured }, ...others] }
}

/** What a client of this site sends over its first session of each domain, in clear. */
function sentBy(site: Site, protect: string | undefined): string[] {
  const cuids = new Map(site.domains.map(({ name }) => [name, parseCuid(`cuid-of-${name}`)!]))
  const client = new DotsClient({ site, cuids, entropy: seededEntropy(1) })
  const sent: string[] = []
  const owners = new Map<ConnectionId, DomainName>()
  let now = Instant(0)
  const drain = (): void => {
    for (let output = client.poll(); output !== undefined; output = client.poll()) {
      if (output.kind === 'connect') owners.set(output.connection, output.path.domain)
      if (output.kind !== 'send') continue
      const message = decodeMessage(output.bytes)
      const isRequest = message.code > 0 && message.code < 32 && message.payload.length > 0
      const [scope] = isRequest ? (decodeSignal(message.payload).mitigationScope?.scope ?? []) : []
      if (scope === undefined) continue
      const trigger = scope.triggerMitigation === false ? 'signal-loss' : 'immediate'
      const prefixes = scope.targetPrefix?.join(' ')
      sent.push(`${owners.get(output.connection)} ${formatMethod(message.code)} ${trigger} ${prefixes}`)
    }
  }
  client.handle({ kind: 'start', wallClock: WallTime(1_767_225_600_000) }, now)
  drain()
  for (const connection of owners.keys()) client.handle({ kind: 'session-established', connection }, now)
  drain()
  if (protect !== undefined) {
    const request = { target: target(protect), lifetime: 3600, allowPartial: false, require: 'all' } as const
    client.handle({ kind: 'protect', request: { ...request, id: ProtectionId('p') } }, now)
    drain()
  }
  for (let turn = 0; turn < 40; turn++) {
    now = Instant(now + 500)
    client.handleTimeout(now)
    drain()
  }
  return [...new Set(sent)].toSorted()
}

describe('RFC 9132 §4.4.1.1: requests with preconfigured scopes', () => {
  it('go to the servers of their own domain when the session begins, with trigger-mitigation false', () => {
    expect(sentBy(siteWith('198.51.100.0/25'), undefined)).toEqual(['isp-a PUT signal-loss 198.51.100.0/25'])
  })

  it('are refused as a configuration when they are not for that domain to protect', () => {
    expect(checkSite(siteWith('198.51.100.0/25'))).toEqual([])
    const problems = checkSite(siteWith('192.0.2.0/24'))
    expect(problems.map(({ code }) => code)).toEqual(['PRECONFIGURED_OF_OTHER'])
  })

  it('have immediate requests as subsets, whose targets are cut at their borders', () => {
    expect(sentBy(siteWith('198.51.100.0/25'), '198.51.100.0/24')).toEqual([
      'isp-a PUT immediate 198.51.100.0/25',
      'isp-a PUT immediate 198.51.100.128/25',
      'isp-a PUT signal-loss 198.51.100.0/25'
    ])
  })

  it('are refreshed, and stay when an immediate request overlaps with them', () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(net)
    const standing = server.grant(600)
    expect(standing.scope[0]?.triggerMitigation).toBe(false)
    server.want(web, net)
    server.pass(Seconds(4))
    server.grant(600)
    const report = { mid: standing.mitigationId!, status: 7, lifetime: 590 }
    server.answer(
      server.last(`GET ${MITIGATE}/cuid=${cuid}/mid=${standing.mitigationId}`),
      Code.content,
      report
    )
    server.want(net)
    server.pass(Minutes(10))
    const refreshes = puts(server).filter((each) => each.text === standing.text)
    expect(refreshes.length).toBeGreaterThan(1)
    expect(refreshes.at(-1)?.scope).toEqual(standing.scope)
    expect(server.requests('DELETE').filter((each) => each.mitigationId === standing.mitigationId)).toEqual(
      []
    )
  })

  it('take the place of an immediate request while the signal is lost: it is asked for anew once that is told', () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(web)
    const immediate = server.grant(600)
    server.pass(Seconds(4))
    const before = puts(server).length
    server.answer(
      server.last(`GET ${MITIGATE}/cuid=${cuid}/mid=${immediate.mitigationId}`),
      Code.content,
      // RFC 9132 §4.4.1.3: withdrawn, and no conflict with anybody.
      { mid: immediate.mitigationId!, status: 7, lifetime: 590 }
    )
    server.pass(Seconds(4))
    expect(puts(server).length).toBeGreaterThan(before)
    expect(puts(server).at(-1)?.scope[0]?.targetPrefix).toEqual(immediate.scope[0]?.targetPrefix)
  })

  it('are no attack: the session counts as lost without an answer to heartbeats', () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(net)
    server.grant(36_000)
    const { connection } = server
    server.pass(Minutes(12))
    expect(server.outputs).toContainEqual({ kind: 'close', connection })
  })

  it('are recreated with mids from 0 when the mids have come far and no attack is on [RFC9132-4.4.1.1-M10] [RFC9132-4.4.1.1-M11]', () => {
    const server = new ScriptedServer()
    const reservation = { upTo: 3_221_225_470, isRolledOver: false }
    server.feed({
      kind: 'resume',
      mayHear: () => true,
      legacy: { numbering: { configured: cuid, cuid, reservation }, records: [] }
    })
    server.connect()
    server.want(net, web)
    server.pass(Seconds(4))
    for (const put of puts(server))
      server.answer(put, Code.created, { mid: put.mitigationId!, lifetime: 36_000 })
    const [first] = puts(server)
    expect(first?.mitigationId).toBe(3_221_225_471)
    server.pass(Seconds(30))
    // While the attack is on, nothing restarts.
    expect(server.requests('DELETE')).toEqual([])
    server.want(net)
    server.pass(Seconds(4))
    server.answer(server.last('DELETE'), Code.deleted)
    server.pass(Seconds(4))
    const standing = puts(server).find((each) => each.scope[0]?.triggerMitigation === false)
    const deletion = server.last('DELETE')
    expect(deletion.mitigationId).toBe(standing?.mitigationId)
    server.answer(deletion, Code.deleted)
    server.pass(Seconds(4))
    const recreated = puts(server).at(-1)
    expect(recreated?.mitigationId).toBe(0)
    expect(recreated?.scope).toEqual(standing?.scope)
  })
})
