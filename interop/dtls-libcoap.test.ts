import { Code, decodeMessage, encodeMessage, readUriPath } from '@breakwater/coap'
import type { SecureEndpoint } from '@breakwater/core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TestAuthority, openResponder, psk, pskIdentity } from './dtls-parties.ts'
import type { Responder } from './dtls-parties.ts'
import { Program } from './program.ts'

/** A CoAP server of one line: says which path was asked for. */
function answerCoap(datagram: Uint8Array): Uint8Array {
  const request = decodeMessage(datagram)
  const payload = Buffer.from(`you asked for /${readUriPath(request.options).join('/')}`)
  return encodeMessage({ ...request, type: 'acknowledgement', code: Code.content, options: [], payload })
}

describe('coap-client-openssl of libcoap against our server', () => {
  let authority: TestAuthority
  let server: Responder & { readonly endpoint: SecureEndpoint }
  const running: Program[] = []
  beforeAll(() => void (authority = new TestAuthority('Breakwater interop CA')))
  afterAll(() => authority.remove())
  beforeEach(async () => {
    server = await openResponder(authority, answerCoap)
  })
  afterEach(async () => {
    for (const program of running.splice(0)) program.stop()
    await server.endpoint.destroy()
  })

  function get(path: string, ...args: readonly string[]): Program {
    const uri = `coaps://127.0.0.1:${server.endpoint.local.port}/${path}`
    const program = new Program('coap-client-openssl', '-B', '5', ...args, uri)
    running.push(program)
    return program
  }

  it('asks and is answered with certificates', async () => {
    const { certificateFile, keyFile } = authority.issue('coap.example')
    const trust = ['-C', authority.certificateFile, '-R', authority.certificateFile]
    const program = get('hello', '-c', certificateFile, '-j', keyFile, ...trust)
    await program.says(/you asked for \/hello/)
    expect(server.events[0]).toMatchObject({ kind: 'established', identity: { dnsNames: ['coap.example'] } })
  })

  it('asks and is answered with a pre-shared key', async () => {
    const program = get('a/b', '-u', pskIdentity, '-k', Buffer.from(psk).toString())
    await program.says(/you asked for \/a\/b/)
    expect(server.events[0]).toMatchObject({ identity: { kind: 'psk', identity: pskIdentity } })
  })

  it('is refused with an unknown identity', async () => {
    const program = get('a', '-u', 'nobody', '-k', Buffer.from(psk).toString())
    await program.ends()
    expect(program.output).not.toMatch(/you asked/)
    expect(server.events).toMatchObject([{ kind: 'failed', reason: 'no-shared-key' }])
  })
})
