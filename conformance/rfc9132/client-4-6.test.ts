import { Code, OptionNumber, uintOption } from '@breakwater/coap'
import { Minutes, Seconds, formatIpAddress } from '@breakwater/core'
import { encodeSignal } from '@breakwater/model'
import { address } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { ScriptedServer, want } from '../../packages/dots/test/client/scripted-server.ts'
import type { Heard } from '../../packages/dots/test/client/scripted-server.ts'
import { target, twoProviders } from '../../packages/dots/test/multihoming/sites.ts'

const MITIGATE = '/.well-known/dots/mitigate'
const web = want('web', target('198.51.100.7/32'))
const [ispA, ispB] = twoProviders.domains.map(({ servers }) => servers[0]!)

/** One that says "ask there instead" (Figures 25 and 26). */
class RedirectingServer extends ScriptedServer {
  constructor(resolvesNames = false) {
    super({}, undefined, resolvesNames)
    this.connect()
  }

  redirect(request: Heard, altServer: string, altServerRecord: readonly string[], ttlSeconds = 600): void {
    const record = altServerRecord.length === 0 ? {} : { altServerRecord }
    const body = encodeSignal({ redirectedSignal: { altServer, ...record } })
    this.reply(request, Code.serviceUnavailable, body, [
      uintOption(OptionNumber.contentFormat, 271),
      uintOption(OptionNumber.maxAge, ttlSeconds)
    ])
  }

  /** Asks for protection, and is sent to another server that can be reached. */
  sendAway(ttlSeconds = 600): Heard {
    this.want(web)
    const put = this.last(`PUT ${MITIGATE}`)
    this.redirect(put, 'alt-server.example', ['192.0.2.77'], ttlSeconds)
    return put
  }

  arrive(): void {
    this.pass(Seconds(1))
    this.feed({ kind: 'established', connection: this.connection })
    this.pass(Seconds(4))
  }

  /** Where the handshakes went: name and address. */
  get destinations(): string[] {
    return this.outputs.flatMap((output) =>
      output.kind === 'connect' ? [`${output.serverName} ${formatIpAddress(output.path.remote.address)}`] : []
    )
  }

  get refusals(): unknown[] {
    return this.outputs.filter(({ kind }) => kind === 'redirect-refused')
  }
}

const home = `${ispA?.referenceName} ${formatIpAddress(ispA!.addresses[0]!)}`
const alternate = 'alt-server.example 192.0.2.77'

describe('RFC 9132 §4.6: a client that is sent to another server', () => {
  it('sends the request again there, with the record instead of a question to DNS, and expects its own name in the certificate [RFC9132-4.6-S01]', () => {
    const server = new RedirectingServer()
    const put = server.sendAway()
    expect(server.destinations).toEqual([home, alternate])
    expect(server.outputs).toContainEqual({ kind: 'close', connection: put.connection })
    server.arrive()
    const again = server.last(`PUT ${MITIGATE}`)
    expect(again.connection).not.toBe(put.connection)
    expect([again.text, again.scope]).toEqual([put.text, put.scope])
  })

  it('stays inside the domain: by the same interface, from the same source', () => {
    const server = new RedirectingServer()
    server.sendAway()
    const [before, after] = server.outputs.flatMap((output) =>
      output.kind === 'connect' ? [output.path] : []
    )
    expect([after?.interface, after?.source, after?.domain]).toEqual([
      before?.interface,
      before?.source,
      before?.domain
    ])
  })

  it.each(['127.0.0.1', '::ffff:127.0.0.1', '0.0.0.0', '224.0.0.1', '255.255.255.255'])(
    'does not go to %s, which is itself or everybody, and says so',
    (nowhere) => {
      const server = new RedirectingServer()
      server.want(web)
      server.redirect(server.last(`PUT ${MITIGATE}`), 'alt-server.example', [nowhere])
      server.pass(Seconds(5))
      expect(server.destinations).toEqual([home])
      expect(server.refusals).toHaveLength(1)
    }
  )

  it('does not go to a server of another domain, and says so', () => {
    const server = new RedirectingServer()
    server.want(web)
    server.redirect(server.last(`PUT ${MITIGATE}`), ispB!.referenceName, ['192.0.2.77'])
    server.pass(Seconds(4))
    server.want(web, want('mail', target('198.51.100.25/32')))
    server.pass(Seconds(4))
    server.redirect(server.last(`PUT ${MITIGATE}`), 'other.example', [formatIpAddress(ispB!.addresses[0]!)])
    expect(server.destinations).toEqual([home])
    expect(server.refusals).toHaveLength(2)
  })

  it('goes back to the provisioned server when the time is over [RFC9132-4.6-M01]', () => {
    const server = new RedirectingServer()
    server.sendAway(600)
    server.arrive()
    server.grant(36_000)
    server.want()
    server.pass(Seconds(4))
    server.answer(server.last('DELETE'), Code.deleted)
    server.pass(Seconds(400))
    expect(server.destinations).toEqual([home, alternate])
    server.pass(Seconds(250))
    expect(server.destinations.at(-1)).toBe(home)
  })

  it('but not while an attack is on', () => {
    const server = new RedirectingServer()
    server.sendAway(60)
    server.arrive()
    server.grant(36_000)
    server.pass(Minutes(5))
    expect(server.destinations.at(-1)).toBe(alternate)
    expect(new Set(server.destinations).size).toBe(2)
    server.want()
    server.pass(Seconds(4))
    server.answer(server.last('DELETE'), Code.deleted)
    server.pass(Seconds(1))
    expect(server.destinations.at(-1)).toBe(home)
  })

  it('takes requests that only wait for the loss of its signal for no attack: it goes, and comes back in time', () => {
    const server = new RedirectingServer()
    const net = want('net', target('198.51.100.0/28'), 36_000, 'signal-loss')
    server.want(net)
    server.redirect(server.last(`PUT ${MITIGATE}`), 'alt-server.example', ['192.0.2.77'], 300)
    server.arrive()
    const put = server.grant(36_000)
    expect(put.scope[0]?.triggerMitigation).toBe(false)
    server.pass(Seconds(280))
    expect(server.destinations).toEqual([home, alternate])
    server.pass(Seconds(20))
    expect(server.destinations).toEqual([home, alternate, home])
  })

  it('does not go round in circles, and tells administrators [RFC9132-4.6-M02] [RFC9132-4.6-S02]', () => {
    const server = new RedirectingServer()
    server.sendAway()
    server.arrive()
    server.redirect(server.last(`PUT ${MITIGATE}`), ispA!.referenceName, ['192.0.2.1'])
    server.pass(Seconds(4))
    expect(server.destinations).toEqual([home, alternate])
    const reason = 'a loop: we talked to it, or tried to, within the last five minutes'
    const refusal = { kind: 'redirect-refused', alternate: ispA!.referenceName, reason }
    expect(server.refusals).toEqual([refusal])
  })

  it('takes the loop for one until five minutes have passed [RFC9132-4.6-M02]', () => {
    const server = new RedirectingServer()
    server.sendAway(36_000)
    server.arrive()
    server.pass(Seconds(280))
    server.redirect(server.last(`PUT ${MITIGATE}`), ispA!.referenceName, ['192.0.2.1'])
    server.pass(Seconds(4))
    expect(server.destinations.at(-1)).toBe(alternate)
    expect(server.refusals).toHaveLength(1)
    // It asks again in a minute.
    server.pass(Seconds(70))
    server.redirect(server.last(`PUT ${MITIGATE}`), ispA!.referenceName, ['192.0.2.1'])
    server.pass(Seconds(4))
    expect(server.destinations.at(-1)).toBe(home)
  })

  it('comes back from an alternate that cannot be reached, and is not sent there again for a while', () => {
    const server = new RedirectingServer()
    server.sendAway(3600)
    server.pass(Seconds(30))
    server.feed({ kind: 'failed', connection: server.connection, reason: 'timeout' })
    server.pass(Seconds(1))
    expect(server.destinations).toEqual([home, alternate, home])
    expect(server.outputs).toContainEqual({
      kind: 'alternate-unreachable',
      alternate: 'alt-server.example',
      reason: 'udp 192.0.2.77 failed: timeout'
    })
    server.arrive()
    server.redirect(server.last(`PUT ${MITIGATE}`), 'alt-server.example', ['192.0.2.77'])
    expect(server.destinations).toEqual([home, alternate, home])
  })

  it('asks again in a minute where it does not go, however long that redirect holds', () => {
    const server = new RedirectingServer()
    server.want(web)
    server.redirect(server.last(`PUT ${MITIGATE}`), ispB!.referenceName, ['192.0.2.77'], 86_400)
    const said = `5.03 sends us to ${ispB!.referenceName}, where we do not go`
    expect(server.association.requests).toMatchObject([
      { state: { kind: 'refused', refusal: { text: said } } }
    ])
    const before = server.requests(`PUT ${MITIGATE}`).length
    server.pass(Seconds(55))
    expect(server.requests(`PUT ${MITIGATE}`)).toHaveLength(before)
    server.pass(Seconds(10))
    expect(server.requests(`PUT ${MITIGATE}`).length).toBeGreaterThan(before)
  })

  it('is not sent anywhere by a name that is none', () => {
    const server = new RedirectingServer()
    server.want(web)
    const body = encodeSignal({
      redirectedSignal: { altServer: 'alt-server.example', altServerRecord: ['192.0.2.77'] }
    })
    const blank = body.map((byte) => (byte === 0x2d ? 0x20 : byte))
    const format = uintOption(OptionNumber.contentFormat, 271)
    server.reply(server.last(`PUT ${MITIGATE}`), Code.serviceUnavailable, blank, [format])
    expect(server.destinations).toEqual([home])
    expect(server.association.requests.map(({ state }) => state.kind)).toEqual(['refused'])
  })
})

/** A client that was sent to a name without addresses, and has somebody to ask. */
function sentToName(altServer = 'alt-server.example'): RedirectingServer {
  const server = new RedirectingServer(true)
  server.want(web)
  server.redirect(server.last(`PUT ${MITIGATE}`), altServer, [])
  return server
}

function questions(server: RedirectingServer): string[] {
  return server.outputs.flatMap((output) => (output.kind === 'resolve' ? [output.name] : []))
}

describe('RFC 9132 §4.6: a client that is sent to a name without addresses', () => {
  it('does not follow where it has nobody to ask, and says so', () => {
    const server = new RedirectingServer()
    server.want(web)
    server.redirect(server.last(`PUT ${MITIGATE}`), 'alt-server.example', [])
    expect(server.destinations).toEqual([home])
    expect(server.refusals).toMatchObject([{ reason: 'its addresses are not known' }])
  })

  it('asks where it is, and goes there as with a record [RFC9132-4.6-S01]', () => {
    const server = sentToName()
    server.pass(Seconds(2))
    expect(questions(server)).toEqual(['alt-server.example'])
    expect(server.destinations).toEqual([home])
    server.feed({ kind: 'resolved', name: 'alt-server.example', addresses: [address('192.0.2.77')] })
    expect(server.destinations).toEqual([home, alternate])
    const first = server.last(`PUT ${MITIGATE}`)
    server.arrive()
    const again = server.last(`PUT ${MITIGATE}`)
    expect([again.connection === first.connection, again.text]).toEqual([false, first.text])
  })

  it('asks once, whatever else is answered alike meanwhile; the session goes on', () => {
    const server = sentToName()
    server.want(web, want('mail', target('198.51.100.25/32')))
    server.pass(Seconds(4))
    const mail = server.last(`PUT ${MITIGATE}`)
    server.redirect(mail, 'alt-server.example', [])
    expect(questions(server)).toHaveLength(1)
    expect(server.outputs.filter(({ kind }) => kind === 'close')).toEqual([])
    server.feed({ kind: 'resolved', name: 'alt-server.example', addresses: [address('192.0.2.77')] })
    server.arrive()
    const puts = server.requests(`PUT ${MITIGATE}`).filter((each) => each.connection === server.connection)
    expect(new Set(puts.map(({ scope }) => scope[0]?.targetPrefix?.[0]))).toEqual(
      new Set(['198.51.100.7/32', '198.51.100.25/32'])
    )
  })

  it('takes the 5.03 for the answer where nobody knows, and asks again when its time is over', () => {
    const server = sentToName()
    server.feed({ kind: 'resolved', name: 'alt-server.example', addresses: [] })
    expect(server.destinations).toEqual([home])
    expect(server.refusals).toMatchObject([{ reason: 'its addresses are not known' }])
    expect(server.association.requests.map(({ state }) => state.kind)).toEqual(['refused'])
    const before = server.requests(`PUT ${MITIGATE}`).length
    server.pass(Seconds(610))
    expect(server.requests(`PUT ${MITIGATE}`).length).toBeGreaterThan(before)
  })

  it('does not go to what turns out to be a server of another domain', () => {
    const server = sentToName()
    server.feed({ kind: 'resolved', name: 'alt-server.example', addresses: ispB!.addresses })
    expect(server.destinations).toEqual([home])
    expect(server.refusals).toHaveLength(1)
  })

  it('tries no more than 16 addresses of one name', () => {
    const server = sentToName()
    const addresses = Array.from({ length: 40 }, (_, index) => address(`192.0.2.${100 + index}`))
    server.feed({ kind: 'resolved', name: 'alt-server.example', addresses })
    server.pass(Minutes(2))
    const tried = new Set(server.destinations.filter((each) => each.startsWith('alt-server.example')))
    expect(tried.size).toBeGreaterThan(0)
    expect(tried.size).toBeLessThanOrEqual(16)
  })

  it('forgets an answer that nobody waits for any more', () => {
    const server = sentToName()
    server.feed({ kind: 'closed', connection: server.connection, reason: 'close-notify' })
    server.feed({ kind: 'resolved', name: 'alt-server.example', addresses: [address('192.0.2.77')] })
    server.feed({ kind: 'resolved', name: 'unasked.example', addresses: [address('192.0.2.78')] })
    expect(server.destinations.some((each) => each.startsWith('alt-server'))).toBe(false)
  })
})
