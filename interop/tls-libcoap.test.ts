import { Code, CoapStreamSession, defaultParameters, readUriPath } from '@breakwater/coap'
import { formatIpAddress, ipv4 } from '@breakwater/core'
import type { PeerId, SessionEvent } from '@breakwater/core'
import { systemClock, systemEntropy } from '@breakwater/runtime'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Program, eventually } from './program.ts'
import { TestAuthority, oneKey, openStreamServer, psk, pskIdentity } from './tls-parties.ts'
import type { StreamServer } from './tls-parties.ts'

const clock = systemClock()
const entropy = systemEntropy()

/** Serves CoAP on every session of `server`: says which path was asked for. */
function answerCoap({ endpoint, log }: StreamServer): void {
  const sessions = new Map<PeerId, CoapStreamSession>()

  function drain(peer: PeerId, session: CoapStreamSession): void {
    for (let output = session.poll(); output !== undefined; output = session.poll()) {
      if (output.kind === 'send') endpoint.send(peer, output.bytes)
      if (output.kind === 'close') endpoint.close(peer)
      if (output.kind !== 'request') continue
      const payload = Buffer.from(`you asked for /${readUriPath(output.request.options).join('/')}`)
      const response = { code: Code.content, options: [], payload }
      session.handle({ kind: 'respond', exchange: output.exchange, response }, clock.now())
    }
  }
  log.afterEvent = ({ kind, peer }: SessionEvent) => {
    if (kind !== 'established') return
    const session = new CoapStreamSession({ parameters: defaultParameters, entropy, openedAt: clock.now() })
    sessions.set(peer, session)
    drain(peer, session)
  }
  log.beforeBatch = (batch) => {
    for (let index = 0; index < batch.count; index++) {
      const peer = batch.peer(index)
      const session = sessions.get(peer)
      session?.handle({ kind: 'datagram', bytes: batch.bytes(index).slice() }, clock.now())
      if (session !== undefined) drain(peer, session)
    }
  }
}

describe('coap-client-openssl of libcoap against our server, over TLS', () => {
  let authority: TestAuthority
  let server: StreamServer
  const running: Program[] = []
  beforeAll(() => void (authority = new TestAuthority('Breakwater interop CA')))
  afterAll(() => authority.remove())
  afterEach(async () => {
    for (const program of running.splice(0)) program.stop()
    await server.endpoint.destroy()
  })

  function get(path: string, ...args: readonly string[]): Program {
    const { address, port } = server.endpoint.local
    const uri = `coaps+tcp://${formatIpAddress(address)}:${port}/${path}`
    const program = new Program('coap-client-openssl', '-B', '5', ...args, uri)
    running.push(program)
    return program
  }

  it('asks and is answered with certificates', async () => {
    server = await openStreamServer(authority)
    answerCoap(server)
    const { certificateFile, keyFile } = authority.issue('coap.example')
    const trust = ['-C', authority.certificateFile, '-R', authority.certificateFile]
    const program = get('hello', '-c', certificateFile, '-j', keyFile, ...trust)
    await program.says(/you asked for \/hello/)
    expect(server.log.events[0]).toMatchObject({
      kind: 'established',
      identity: { dnsNames: ['coap.example'] }
    })
  })

  describe('on port 5684, as libcoap does not name the protocol when it uses a key', () => {
    beforeEach(async () => {
      const local = { address: ipv4(0x7f000054), port: 5684 }
      server = await openStreamServer(authority, { ...oneKey, local })
      answerCoap(server)
    })

    it('asks and is answered with a pre-shared key', async () => {
      const program = get('a/b', '-u', pskIdentity, '-k', Buffer.from(psk).toString())
      await program.says(/you asked for \/a\/b/)
      expect(server.log.events[0]).toMatchObject({ identity: { kind: 'psk', identity: pskIdentity } })
    })

    it('is refused with an unknown identity', async () => {
      const program = get('a', '-u', 'nobody', '-k', Buffer.from(psk).toString())
      await program.ends()
      expect(program.output).not.toMatch(/you asked/)
      await eventually('a failure', () => server.log.failures().length > 0)
      expect(server.log.events).toMatchObject([{ kind: 'failed', reason: 'no-shared-key' }])
    })
  })
})
