import { ipv4 } from '@breakwater/core'
import type { CertificateCredentials, SecureEndpoint, SessionEvent } from '@breakwater/core'
import { afterAll, afterEach, expect, it } from 'vitest'
import { openDtlsEndpoint } from '../src/index.ts'
import { eventually } from './eventually.ts'
import { TestAuthority } from './pki.ts'
import type { Issued } from './pki.ts'

const authority = new TestAuthority('Breakwater test CA')
afterAll(() => authority.remove())
const open: SecureEndpoint[] = []
afterEach(() => Promise.all(open.splice(0).map((endpoint) => endpoint.destroy())))

const local = { address: ipv4(0x7f000001), port: 0 }
const of = ({ certificate, privateKey }: Issued): CertificateCredentials => ({
  kind: 'certificate',
  certificate,
  privateKey,
  trustAnchors: authority.certificate
})

it('a revocation list that comes later refuses who is on it, ticket or not, and leaves the session that there is', async () => {
  const heard: SessionEvent[] = []
  const answered: SessionEvent[] = []
  let texts = 0
  const serverCertificate = of(authority.issue('server.example'))
  const revoked = authority.issue('client.example')
  const server = await openDtlsEndpoint(
    { role: 'server', local, certificate: serverCertificate },
    { onBatch: ({ count }) => void (texts += count), onSession: (event) => void heard.push(event) }
  )
  const clientHandlers = {
    onBatch: () => undefined,
    onSession: (event: SessionEvent) => void answered.push(event)
  }
  const options = { role: 'client', local, credentials: of(revoked) } as const
  const staying = await openDtlsEndpoint(options, clientHandlers)
  const returning = await openDtlsEndpoint(options, clientHandlers)
  open.push(server, staying, returning)
  const request = { remote: server.local, serverName: 'server.example' }
  const stays = staying.connect(request)
  const returns = returning.connect(request)
  await eventually('two sessions', () => answered.length === 2 && heard.length === 2)
  returning.close(returns)
  await eventually('the goodbye', () => heard.length === 3)
  returning.connect(request)
  await eventually('a resumed session', () => server.stats()['handshakesResumed'] === 1)
  server.reload?.({ certificate: { ...serverCertificate, crl: authority.revoke([revoked]) } })
  const before = heard.length
  returning.connect(request)
  await eventually('a refusal', () => heard.length > before)
  expect(heard.slice(before)).toMatchObject([{ kind: 'failed', reason: 'certificate-refused' }])
  expect(server.stats()).toMatchObject({ handshakesResumed: 1 })
  staying.send(stays, Buffer.from('still here'))
  await eventually('a text', () => texts === 1)
})
