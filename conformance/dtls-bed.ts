import { ipv4 } from '@breakwater/core'
import type {
  CertificateCredentials,
  ClientCredentials,
  ClientEndpointOptions,
  PskCredentials,
  RawPublicKeyCredentials,
  ServerEndpointOptions
} from '@breakwater/core'
import { MemoryEngine } from '../packages/dtls/src/memory-engine.ts'
import { TestAuthority } from '../packages/dtls/test/pki.ts'

export const serverName = 'server.example'
export const psk: PskCredentials = { kind: 'psk', identity: 'site-1', key: Buffer.from('0123456789abcdef') }
export const preSharedKeys = new Map([[psk.identity, psk.key]])
export const serverAddress = { address: ipv4(0x0a000001), port: 4646 }
export const clientAddress = { address: ipv4(0x0a000002), port: 40_000 }

/** Two DTLS engines of ours that a test carries datagrams between, and the authority that both trust. */
export class DtlsBed {
  readonly authority: TestAuthority = new TestAuthority('Breakwater test CA')
  readonly serverCertificate: CertificateCredentials = this.authority.credentials(serverName)
  readonly clientCertificate: CertificateCredentials = this.authority.credentials('client.example')

  /** With a certificate and a pre-shared key, unless told otherwise. */
  server(options: Partial<Omit<ServerEndpointOptions, 'role'>> = {}): MemoryEngine {
    const both = { certificate: this.serverCertificate, preSharedKeys }
    return new MemoryEngine({ role: 'server', local: serverAddress, ...both, ...options })
  }

  /** With a raw public key alone. */
  rawServer(rawPublicKey: RawPublicKeyCredentials): MemoryEngine {
    return new MemoryEngine({ role: 'server', local: serverAddress, rawPublicKey })
  }

  client(
    credentials: ClientCredentials = this.clientCertificate,
    options: Partial<Omit<ClientEndpointOptions, 'role'>> = {}
  ): MemoryEngine {
    return new MemoryEngine({ role: 'client', local: clientAddress, credentials, ...options })
  }

  remove(): void {
    this.authority.remove()
  }
}
