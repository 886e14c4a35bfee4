import { CoapStreamSession, defaultParameters } from '@breakwater/coap'
import { Seconds, formatIpAddress } from '@breakwater/core'
import type { CertificateCredentials, PeerId, SecureEndpoint, SecureEndpointHandlers } from '@breakwater/core'
import { address, seededEntropy, simulatedCertificate } from '@breakwater/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TwoProviders, siteOver } from '../../packages/dots/test/client/two-providers.ts'
import { watchedEndpoint } from '../../packages/dots/test/client/watched-endpoint.ts'

const NAME = 'dots.isp-a.example'
/** Where the servers of the site's two providers are. */
const [HOME, ELSEWHERE] = ['192.0.2.1', '192.0.2.129']

/** More than the minute that a client leaves between two handshakes anyhow. */
const HOLD_OFF_SECONDS = 200

let world: TwoProviders
let server: SecureEndpoint
let released: PeerId | undefined
/** How the client's handshakes with other servers than that of isp-b went on. */
const connects: string[] = []
const events: string[] = []

beforeEach(async () => {
  world = new TwoProviders()
  server = await world.providers['isp-a'].host.openSecureStream(
    { role: 'server', local: { address: address(HOME), port: 4646 }, certificate: certificateOf(NAME) },
    releasing()
  )
})

afterEach(async () => {
  await server.destroy()
  await world.close()
  for (const list of [connects, events]) list.length = 0
})

function certificateOf(name: string): CertificateCredentials {
  return simulatedCertificate({ authority: 'isp-a authority', subject: name, dnsNames: [name] })
}

/** A server that sends everybody away as soon as there is a session, to an address that it has no say over. */
function releasing(): SecureEndpointHandlers {
  return {
    onBatch: () => undefined,
    onSession: (event) => {
      events.push(event.kind)
      if (event.kind !== 'established') return
      released = event.peer
      const openedAt = world.clock.now()
      const session = new CoapStreamSession({
        parameters: defaultParameters,
        entropy: seededEntropy(1),
        openedAt
      })
      const release = { alternativeAddresses: [`${ELSEWHERE}:4646`], holdOffSeconds: HOLD_OFF_SECONDS }
      session.handle({ kind: 'release', release }, openedAt)
      for (let output = session.poll(); output !== undefined; output = session.poll())
        if (output.kind === 'send') server.send(event.peer, output.bytes)
    }
  }
}

function startClient(): void {
  const [home, ...others] = siteOver('tcp').domains
  world.startClient({
    site: {
      domains: [home!, ...others.map((domain) => ({ ...domain, servers: [] }))],
      providerIndependent: []
    },
    openStream: async (options, handlers) => {
      const endpoint = await world.siteHost.openSecureStream(options, {
        onBatch: (batch) => handlers.onBatch(batch),
        onSession: (event) => {
          if (event.kind === 'failed') events.push(event.reason)
          handlers.onSession(event)
        }
      })
      return watchedEndpoint(endpoint, ({ serverName, remote }) =>
        connects.push(`${serverName} at ${formatIpAddress(remote.address)}`)
      )
    }
  })
}

describe('RFC 8323 §5.5, §10.1: a client whose server releases it, with an alternative address', () => {
  it('does not connect again before its Hold-Off is over, though it is the server that closes', async () => {
    startClient()
    await world.advance(Seconds(2))
    server.close(released!)
    await world.advance(Seconds(HOLD_OFF_SECONDS - 1))
    expect(connects).toHaveLength(1)
    await world.advance(Seconds(30))
    expect(connects.length).toBeGreaterThan(1)
  })

  it('connects next where it is configured to, and nothing of the session before counts there [RFC8323-10.1-M01]', async () => {
    startClient()
    await world.advance(Seconds(2))
    expect(events).toContain('established')
    expect(connects).toEqual([`${NAME} at ${HOME}`])
    // Whoever is there when the connection has ended, has another name.
    server.reload?.({ certificate: certificateOf('dots.elsewhere.example') })
    server.close(released!)
    await world.advance(Seconds(HOLD_OFF_SECONDS + 60))
    expect(connects.length).toBeGreaterThan(1)
    expect(new Set(connects)).toEqual(new Set([`${NAME} at ${HOME}`]))
    expect(events.filter((event) => event === 'established')).toHaveLength(1)
    expect(events).toContain('name-mismatch')
  })
})
