import type { PlaintextBatch, SecureEndpoint, SessionEvent } from '@breakwater/core'
import { openDtlsEndpoint } from '@breakwater/dtls'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TestAuthority, loopback, openResponder, psk, pskIdentity } from './dtls-parties.ts'
import type { Responder } from './dtls-parties.ts'
import { Program, eventually } from './program.ts'

let authority: TestAuthority
let strangers: TestAuthority
const running: Program[] = []

beforeAll(() => {
  authority = new TestAuthority('Breakwater interop CA')
  strangers = new TestAuthority('Somebody else')
})
afterAll(() => {
  authority.remove()
  strangers.remove()
})
afterEach(() => {
  for (const program of running.splice(0)) program.stop()
})

function run(command: string, ...args: readonly string[]): Program {
  const program = new Program(command, ...args)
  running.push(program)
  return program
}

function certificateOf(issuer: TestAuthority): readonly string[] {
  const { certificateFile, keyFile } = issuer.issue('client.example')
  return ['-cert', certificateFile, '-key', keyFile]
}

async function freePort(): Promise<number> {
  const probe = createSocket('udp4').bind(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  return port
}

async function serve(...args: readonly string[]): Promise<{ program: Program; port: number }> {
  const port = await freePort()
  const program = run('openssl', 's_server', '-dtls1_2', '-accept', `127.0.0.1:${port}`, ...args)
  await program.says(/ACCEPT/)
  return { program, port }
}

function certificateServer(issuer: TestAuthority, name: string): Promise<{ program: Program; port: number }> {
  const { certificateFile, keyFile } = issuer.issue(name)
  const own = ['-cert', certificateFile, '-key', keyFile]
  return serve(
    '-listen',
    ...own,
    '-CAfile',
    authority.certificateFile,
    '-Verify',
    '1',
    '-verify_return_error'
  )
}

describe('openssl s_client against our server', () => {
  let server: Responder & { readonly endpoint: SecureEndpoint }
  beforeEach(async () => {
    server = await openResponder(authority, (plaintext) => plaintext)
  })
  afterEach(() => server.endpoint.destroy())

  function client(...args: readonly string[]): Program {
    const where = ['-connect', `127.0.0.1:${server.endpoint.local.port}`]
    return run('openssl', 's_client', ...where, '-CAfile', authority.certificateFile, ...args)
  }

  async function echoes(program: Program): Promise<void> {
    await eventually(
      'a session',
      () => server.events.length > 0,
      () => program.output
    )
    program.type('are you there\n')
    await program.says(/^are you there/m)
  }

  async function refuses(program: Program, alert: number, reason: string): Promise<void> {
    await program.says(new RegExp(`SSL alert number ${alert}\\b`))
    await eventually('a failure', () => server.events.length > 0)
    expect(server.events).toMatchObject([{ kind: 'failed', reason }])
  }

  it('mutual certificates: both sides know each other', async () => {
    const program = client('-dtls1_2', '-verify_return_error', ...certificateOf(authority))
    await echoes(program)
    expect(program.output).toMatch(/Verify return code: 0 \(ok\)/)
    expect(program.output).toMatch(/Secure Renegotiation IS supported/)
    expect(server.events).toMatchObject([{ kind: 'established', identity: { dnsNames: ['client.example'] } }])
  })

  it('a pre-shared key with (EC)DHE', async () => {
    const key = Buffer.from(psk).toString('hex')
    const program = client(
      '-dtls1_2',
      '-psk',
      key,
      '-psk_identity',
      pskIdentity,
      '-cipher',
      'ECDHE-PSK-CHACHA20-POLY1305'
    )
    await echoes(program)
    expect(server.events).toMatchObject([{ identity: { kind: 'psk', identity: pskIdentity } }])
  })

  it('no pre-shared key without (EC)DHE, and no CCM_8, unless they were asked for', async () => {
    const key = ['-psk', Buffer.from(psk).toString('hex'), '-psk_identity', pskIdentity]
    const wanting = [
      [...key, '-cipher', 'PSK-AES128-GCM-SHA256'],
      [...key, '-cipher', 'PSK-AES128-CCM8@SECLEVEL=0'],
      [...certificateOf(authority), '-cipher', 'ECDHE-ECDSA-AES128-CCM8@SECLEVEL=0']
    ]
    for (const each of wanting) {
      const program = client('-dtls1_2', ...each)
      await program.says(/alert handshake failure|alert number 40/)
      program.stop()
    }
    expect(server.events.every(({ kind }) => kind === 'failed')).toBe(true)
    const constrained = await openResponder(authority, (plaintext) => plaintext, { constrainedPeers: true })
    for (const each of wanting) {
      const where = ['-connect', `127.0.0.1:${constrained.endpoint.local.port}`]
      const program = run(
        'openssl',
        's_client',
        ...where,
        '-CAfile',
        authority.certificateFile,
        '-dtls1_2',
        ...each
      )
      const name = each.at(-1)?.split('@')[0] ?? ''
      await program.says(new RegExp(`Cipher +: +${name}`))
      program.stop()
    }
    await constrained.endpoint.destroy()
  })

  it('a client that resumes its session needs no state at the server', async () => {
    const ticket = `${authority.folder}/ticket.pem`
    const credentials = certificateOf(authority)
    const first = client('-dtls1_2', ...credentials, '-sess_out', ticket)
    await echoes(first)
    first.type('Q\n')
    await first.ends()
    await eventually('the goodbye', () => server.events.length === 2)
    const second = client('-dtls1_2', ...credentials, '-sess_in', ticket)
    await eventually(
      'a session',
      () => server.events.length === 3,
      () => second.output
    )
    await second.says(/^Reused, /m)
    expect(server.endpoint.stats()).toMatchObject({ handshakesResumed: 1 })
    expect(server.events[2]).toMatchObject({
      kind: 'established',
      identity: { dnsNames: ['client.example'] }
    })
  })

  it('a client with a small MTU', async () => {
    await echoes(client('-dtls1_2', '-mtu', '256', ...certificateOf(authority)))
  })

  it('says goodbye when the client does', async () => {
    const program = client('-dtls1_2', ...certificateOf(authority))
    await echoes(program)
    program.type('Q\n')
    await eventually('the end', () => server.events.length === 2)
    expect(server.events[1]).toMatchObject({ kind: 'closed', reason: 'close-notify' })
  })

  it('refuses to renegotiate', async () => {
    const program = client('-dtls1_2', ...certificateOf(authority))
    await echoes(program)
    program.type('R\n')
    await program.says(/RENEGOTIATING/)
    await program.says(/no renegotiation/i)
    expect(server.endpoint.stats()).toMatchObject({ handshakesFinished: 1 })
  })

  it('refuses a client without a certificate', async () => {
    await refuses(client('-dtls1_2'), 40, 'certificate-refused')
  })

  it('refuses a client with a certificate of somebody else', async () => {
    await refuses(client('-dtls1_2', ...certificateOf(strangers)), 48, 'certificate-refused')
  })

  it('refuses DTLS 1.0 [RFC9132-7.1-M02]', async () => {
    const old = ['-dtls1', '-cipher', 'DEFAULT:@SECLEVEL=0']
    await refuses(client(...old, ...certificateOf(authority)), 70, 'protocol')
  })

  it('refuses a pre-shared key of an unknown identity', async () => {
    const key = Buffer.from(psk).toString('hex')
    const program = client('-dtls1_2', '-psk', key, '-psk_identity', 'nobody', '-cipher', 'PSK')
    await refuses(program, 115, 'no-shared-key')
  })

  it('refuses suites without authenticated encryption', async () => {
    const program = client('-dtls1_2', '-cipher', 'ECDHE-ECDSA-AES128-SHA256', ...certificateOf(authority))
    await refuses(program, 40, 'protocol')
  })
})

describe('our client against openssl s_server', () => {
  const events: SessionEvent[] = []
  let heard = ''
  let client: SecureEndpoint

  async function open(credentials: Parameters<typeof openDtlsEndpoint>[0]): Promise<void> {
    events.length = 0
    heard = ''
    client = await openDtlsEndpoint(credentials, {
      onBatch: (batch: PlaintextBatch) => {
        for (let index = 0; index < batch.count; index++) heard += Buffer.from(batch.bytes(index)).toString()
      },
      onSession: (event) => void events.push(event)
    })
  }
  afterEach(() => client.destroy())

  const connect = (port: number): void =>
    void client.connect({ remote: { ...loopback, port }, serverName: 'server.example' })

  it('mutual certificates: talks and says goodbye', async () => {
    const { program, port } = await certificateServer(authority, 'server.example')
    await open({ role: 'client', local: loopback, credentials: authority.credentials('client.example') })
    connect(port)
    await eventually(
      'a session',
      () => events.length > 0,
      () => program.output
    )
    expect(events).toMatchObject([{ kind: 'established', identity: { dnsNames: ['server.example'] } }])
    const [session] = events
    if (session !== undefined) client.send(session.peer, Buffer.from('hello from us\n'))
    await program.says(/hello from us/)
    program.type('hello from them\n')
    await eventually('an answer', () => heard.includes('hello from them'))
    if (session !== undefined) client.close(session.peer)
    await program.says(/^DONE/m)
  })

  it('a pre-shared key', async () => {
    const key = Buffer.from(psk).toString('hex')
    const { program, port } = await serve(
      '-nocert',
      '-psk',
      key,
      '-psk_identity',
      pskIdentity,
      '-cipher',
      'PSK'
    )
    await open({
      role: 'client',
      local: loopback,
      credentials: { kind: 'psk', identity: pskIdentity, key: psk }
    })
    connect(port)
    await eventually(
      'a session',
      () => events.length > 0,
      () => program.output
    )
    expect(events).toMatchObject([{ kind: 'established', identity: { kind: 'psk' } }])
  })

  it('refuses a server with another name [RFC9132-7.1-M04]', async () => {
    const { port } = await certificateServer(authority, 'elsewhere.example')
    await open({ role: 'client', local: loopback, credentials: authority.credentials('client.example') })
    connect(port)
    await eventually('a failure', () => events.length > 0)
    expect(events).toMatchObject([{ kind: 'failed', reason: 'name-mismatch' }])
  })

  it('refuses a server with a certificate of somebody else', async () => {
    const { port } = await certificateServer(strangers, 'server.example')
    await open({ role: 'client', local: loopback, credentials: authority.credentials('client.example') })
    connect(port)
    await eventually('a failure', () => events.length > 0)
    expect(events).toMatchObject([{ kind: 'failed', reason: 'certificate-refused' }])
  })
})
