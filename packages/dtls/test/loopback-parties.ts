// The two sides of the contracts' worlds of real endpoints, for DTLS and for TLS: where they are, and what they show.
import { parseIpAddress } from '@breakwater/core'
import type { CertificateCredentials, IpAddress, IpFamily } from '@breakwater/core'
import type { CertificateFlaw, EndpointSide } from '@breakwater/testing'
import type { TestAuthority } from './pki.ts'

const addresses = { server: { 4: '127.0.0.1', 6: '::1' }, client: { 4: '127.0.0.2', 6: '::1' } } as const

/** Where one side is. */
export function addressOf(side: EndpointSide, family: IpFamily): IpAddress {
  const address = parseIpAddress(addresses[side][family])
  if (address === undefined) throw new Error('no address')
  return address
}

/** Two certification authorities and what they have issued; made once for all worlds of a test file. */
export class Credentials {
  readonly #issued = new Map<string, CertificateCredentials>()
  readonly #trusted: TestAuthority
  readonly #other: TestAuthority

  constructor(trusted: TestAuthority, other: TestAuthority) {
    this.#trusted = trusted
    this.#other = other
  }

  of(side: EndpointSide, flaw?: CertificateFlaw): CertificateCredentials {
    const key = `${side} ${flaw}`
    const known = this.#issued.get(key)
    if (known !== undefined) return known
    const name = flaw === 'other-name' ? 'elsewhere.example' : `${side}.example`
    const issuer = flaw === 'stranger' ? this.#other : this.#trusted
    const made = issuer.credentials(name, this.#trusted)
    this.#issued.set(key, made)
    return made
  }
}
