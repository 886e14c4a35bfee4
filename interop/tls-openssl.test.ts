import type { CertificateCredentials, PskCredentials } from '@breakwater/core'
import { openTlsEndpoint } from '@breakwater/runtime'
import { RecordingHandlers } from '@breakwater/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Program, eventually } from './program.ts'
import {
  TestAuthority,
  echo,
  freePort,
  loopback,
  oneKey,
  openStreamServer,
  psk,
  pskIdentity
} from './tls-parties.ts'
import type { StreamServer } from './tls-parties.ts'

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

const hexKey = Buffer.from(psk).toString('hex')

function run(command: string, ...args: readonly string[]): Program {
  const program = new Program(command, ...args)
  running.push(program)
  return program
}

function certificateOf(issuer: TestAuthority, name = 'client.example'): readonly string[] {
  const { certificateFile, keyFile } = issuer.issue(name)
  return ['-cert', certificateFile, '-key', keyFile]
}

function keyed(identity: string, key = hexKey): readonly string[] {
  const proof = ['-psk', key, '-psk_identity', identity, '-cipher', 'ECDHE-PSK-CHACHA20-POLY1305']
  return ['-alpn', 'coap', ...proof]
}

async function serve(...args: readonly string[]): Promise<{ program: Program; port: number }> {
  const port = await freePort()
  const program = run('openssl', 's_server', '-accept', `127.0.0.1:${port}`, ...args)
  await program.says(/ACCEPT/)
  return { program, port }
}

function certified(
  issuer: TestAuthority,
  name: string,
  ...args: readonly string[]
): ReturnType<typeof serve> {
  const trust = ['-CAfile', authority.certificateFile, '-Verify', '1', '-verify_return_error']
  return serve(...certificateOf(issuer, name), ...trust, ...args)
}

function ours(): CertificateCredentials {
  return authority.credentials('client.example')
}

describe('openssl s_client against our server', () => {
  let server: StreamServer
  beforeEach(async () => {
    server = await openStreamServer(authority)
    echo(server)
  })
  afterEach(() => server.endpoint.destroy())

  function client(...args: readonly string[]): Program {
    const where = ['-connect', `127.0.0.1:${server.endpoint.local.port}`]
    const trust = ['-CAfile', authority.certificateFile, '-verify_return_error']
    return run('openssl', 's_client', ...where, '-servername', 'server.example', ...trust, ...args)
  }

  async function echoes(program: Program): Promise<void> {
    await eventually(
      'a session',
      () => server.log.events.length > 0,
      () => program.output
    )
    program.type('are you there\n')
    await program.says(/^are you there/m)
  }

  async function refuses(program: Program, reason: string): Promise<void> {
    await eventually(
      'a failure',
      () => server.log.failures().length > 0,
      () => program.output
    )
    expect(server.log.failures()).toEqual([reason])
    expect(server.log.established()).toEqual([])
  }

  it.each([
    ['-tls1_3', 'TLSv1.3'],
    ['-tls1_2', 'TLSv1.2']
  ])('mutual certificates and ALPN with %s: both sides know each other', async (option, version) => {
    const program = client(option, '-alpn', 'coap', ...certificateOf(authority))
    await echoes(program)
    expect(program.output).toContain(`New, ${version}`)
    expect(program.output).toMatch(/ALPN protocol: coap/)
    expect(program.output).toMatch(/Verify return code: 0 \(ok\)/)
    expect(server.log.events).toMatchObject([
      { kind: 'established', identity: { dnsNames: ['client.example'] } }
    ])
  })

  it('prefers TLS 1.3', async () => {
    const program = client('-alpn', 'coap', ...certificateOf(authority))
    await echoes(program)
    expect(program.output).toContain('New, TLSv1.3')
  })

  it('gives no ticket in TLS 1.2', async () => {
    const program = client('-tls1_2', '-alpn', 'coap', ...certificateOf(authority))
    await echoes(program)
    expect(program.output).not.toMatch(/TLS session ticket:/)
  })

  it('says goodbye when the client does', async () => {
    const program = client('-tls1_3', '-alpn', 'coap', ...certificateOf(authority))
    await echoes(program)
    program.type('Q\n')
    await eventually('the end', () => server.log.events.length === 2)
    expect(server.log.events[1]).toMatchObject({ kind: 'closed', reason: 'close-notify' })
  })

  it('refuses to renegotiate', async () => {
    const program = client('-tls1_2', '-alpn', 'coap', ...certificateOf(authority))
    await echoes(program)
    program.type('R\n')
    await program.says(/RENEGOTIATING/)
    await program.says(/no renegotiation/i)
  })

  it.each(['-tls1_3', '-tls1_2'])('refuses a client that does not name the protocol, %s', async (version) => {
    await refuses(client(version, ...certificateOf(authority)), 'protocol')
  })

  it('refuses a client that names another protocol only', async () => {
    const program = client('-alpn', 'h2', ...certificateOf(authority))
    await program.says(/no application protocol/i)
    await refuses(program, 'protocol')
  })

  it.each(['-tls1_3', '-tls1_2'])('refuses a client without a certificate, %s', async (version) => {
    await refuses(client(version, '-alpn', 'coap'), 'certificate-refused')
  })

  it.each(['-tls1_3', '-tls1_2'])(
    'refuses a client with a certificate of somebody else, %s',
    async (version) => {
      await refuses(client(version, '-alpn', 'coap', ...certificateOf(strangers)), 'certificate-refused')
    }
  )

  it('refuses TLS 1.1 [RFC9132-7.1-M02]', async () => {
    const old = ['-tls1_1', '-cipher', 'DEFAULT:@SECLEVEL=0']
    await refuses(client(...old, '-alpn', 'coap', ...certificateOf(authority)), 'protocol')
  })

  it('refuses suites without authenticated encryption', async () => {
    const cipher = ['-cipher', 'ECDHE-ECDSA-AES128-SHA256']
    await refuses(client('-tls1_2', ...cipher, '-alpn', 'coap', ...certificateOf(authority)), 'protocol')
  })

  it('gives no ticket that it would take back in TLS 1.3', async () => {
    const file = `${authority.folder}/ticket.pem`
    const credentials = certificateOf(authority)
    const first = client('-tls1_3', '-alpn', 'coap', ...credentials, '-sess_out', file)
    await echoes(first)
    first.type('Q\n')
    await first.ends()
    const second = client('-tls1_3', '-alpn', 'coap', ...credentials, '-sess_in', file)
    await second.says(/^(?:New|Reused), /m)
    expect(second.output).not.toMatch(/^Reused, /m)
  })

  describe('that takes keys, too', () => {
    beforeEach(async () => {
      await server.endpoint.destroy()
      server = await openStreamServer(authority, oneKey)
      echo(server)
    })

    it.each([['offers TLS 1.2 only', '-tls1_2'] as const, ['offers TLS 1.3, too', '-no_ssl3'] as const])(
      'a pre-shared key with (EC)DHE of a client that %s',
      async (_, versions) => {
        await echoes(client(versions, ...keyed(pskIdentity)))
        expect(server.log.events).toMatchObject([{ identity: { kind: 'psk', identity: pskIdentity } }])
      }
    )

    it('certificates', async () => {
      const program = client('-alpn', 'coap', ...certificateOf(authority))
      await echoes(program)
      expect(program.output).toContain('New, TLSv1.2')
      expect(server.log.events).toMatchObject([{ identity: { dnsNames: ['client.example'] } }])
    })

    it('refuses an identity that it does not know', async () => {
      await refuses(client(...keyed('nobody')), 'no-shared-key')
    })

    it('refuses an identity without its key', async () => {
      await refuses(client(...keyed(pskIdentity, '00'.repeat(16))), 'protocol')
    })

    it('refuses an identity without its key that comes by TLS 1.3', async () => {
      const claim = ['-alpn', 'coap', '-psk', '00'.repeat(16), '-psk_identity', pskIdentity]
      await refuses(client('-tls1_3', ...claim), 'protocol')
    })
  })
})

describe('our client against openssl s_server', () => {
  let log: RecordingHandlers
  let stop: () => Promise<void>
  afterEach(() => stop())

  async function connect(port: number, credentials: CertificateCredentials | PskCredentials) {
    log = new RecordingHandlers()
    const endpoint = await openTlsEndpoint({ role: 'client', local: loopback, credentials }, log)
    stop = () => endpoint.destroy()
    const peer = endpoint.connect({ remote: { ...loopback, port }, serverName: 'server.example' })
    await eventually('an outcome', () => log.events.length > 0)
    return { endpoint, peer }
  }

  it.each(['-tls1_3', '-tls1_2'])('mutual certificates, %s: talks and says goodbye', async (version) => {
    const { program, port } = await certified(authority, 'server.example', version, '-alpn', 'coap')
    const { endpoint, peer } = await connect(port, ours())
    expect(log.events).toMatchObject([{ kind: 'established', identity: { dnsNames: ['server.example'] } }])
    endpoint.send(peer, Buffer.from('hello from us\n'))
    await program.says(/hello from us/)
    program.type('hello from them\n')
    await eventually('an answer', () => log.textsFrom(peer).join('').includes('hello from them'))
    endpoint.close(peer)
    await program.says(/^DONE/m)
    expect(program.output).toMatch(/subject=.*client\.example/)
  })

  it('a pre-shared key', async () => {
    const key = ['-psk', hexKey, '-psk_identity', pskIdentity, '-cipher', 'ECDHE-PSK-CHACHA20-POLY1305']
    const { port } = await serve('-nocert', '-tls1_2', '-alpn', 'coap', ...key)
    await connect(port, { kind: 'psk', identity: pskIdentity, key: psk })
    expect(log.events).toMatchObject([{ kind: 'established', identity: { kind: 'psk' } }])
  })

  it('asks for the protocol, and leaves a server that does not name it [RFC8323-8.2-M02] [RFC8323-8.2-M03]', async () => {
    const { program, port } = await certified(authority, 'server.example', '-tlsextdebug')
    await connect(port, ours())
    expect(log.events).toMatchObject([{ kind: 'failed', reason: 'protocol' }])
    await program.says(/application layer protocol/i)
  })

  it('leaves a server that refuses the protocol [RFC8323-8.2-M03]', async () => {
    const { port } = await certified(authority, 'server.example', '-alpn', 'h2')
    await connect(port, ours())
    expect(log.failures()).toHaveLength(1)
    expect(log.established()).toEqual([])
  })

  it('refuses a server with another name [RFC9132-7.1-M04]', async () => {
    const { port } = await certified(authority, 'elsewhere.example', '-alpn', 'coap')
    await connect(port, ours())
    expect(log.events).toMatchObject([{ kind: 'failed', reason: 'name-mismatch' }])
  })

  it('refuses a server with a certificate of somebody else [RFC9132-7.1-M03]', async () => {
    const { port } = await certified(strangers, 'server.example', '-alpn', 'coap')
    await connect(port, ours())
    expect(log.events).toMatchObject([{ kind: 'failed', reason: 'certificate-refused' }])
  })

  it('refuses TLS 1.1 [RFC9132-7.1-M02]', async () => {
    const old = ['-tls1_1', '-cipher', 'DEFAULT:@SECLEVEL=0']
    const { port } = await certified(authority, 'server.example', '-alpn', 'coap', ...old)
    await connect(port, ours())
    expect(log.failures()).toHaveLength(1)
  })
})
