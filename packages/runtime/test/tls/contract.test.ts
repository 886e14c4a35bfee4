import { openBoundTcpSocket } from '@breakwater/dtls'
import { secureStreamContract } from '@breakwater/testing'
import { afterAll } from 'vitest'
import { TestAuthority } from '../../../dtls/test/pki.ts'
import { tlsEndpointOpener } from '../../src/index.ts'
import { Credentials } from '../../../dtls/test/loopback-parties.ts'
import { TlsWorld } from './tls-world.ts'

const trusted = new TestAuthority('Breakwater test CA')
const other = new TestAuthority('Somebody else')
const credentials = new Credentials(trusted, other)
afterAll(() => {
  trusted.remove()
  other.remove()
})

secureStreamContract('TLS on loopback', () => Promise.resolve(new TlsWorld(credentials)))

const bound = tlsEndpointOpener({ openSocket: openBoundTcpSocket })
secureStreamContract('TLS on loopback, on sockets opened elsewhere', () =>
  Promise.resolve(new TlsWorld(credentials, bound))
)
