import { constants } from 'node:crypto'
import type { SecureContextOptions } from 'node:tls'

/** RFC 8323 §11.7. */
export const coapProtocolId = 'coap'

/** RFC 8323 §8.2: the one port on which a peer may do without ALPN. */
export const coapsTcpPort = 5684

/** All of TLS 1.3 are AEAD with an ephemeral exchange (RFC 8446 §9.1); AES-128 first, as in our DTLS. */
const tls13Suites = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256'

/** RFC 9325 §4.2: of TLS 1.2 only AEAD with an ephemeral exchange. */
const tls12CertificateSuites =
  'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:' +
  'ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305'

/** RFC 9132 §7.1: PSK with (EC)DHE. OpenSSL has one such suite that is AEAD. */
const tls12PskSuites = 'ECDHE-PSK-CHACHA20-POLY1305'

const signatures =
  'ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ed25519:rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:' +
  'rsa_pkcs1_sha256:rsa_pkcs1_sha384'

/**
 * Versions, suites, groups and signatures (RFC 9132 §7.1, RFC 9325).
 *
 * Who has a pre-shared key speaks TLS 1.2 only. OpenSSL would take the key in TLS 1.3, too, but one key should not serve
 * both (RFC 8446 §E.7), and there Node does not say whether the key or the certificate was what proved the peer. A server
 * with keys and certificates speaks 1.2 with everybody: clients with a key that offer 1.3 would otherwise get it and fail.
 */
export function secureProfile(proofs: {
  readonly certificate: boolean
  readonly preSharedKey: boolean
}): SecureContextOptions {
  const suites = [
    // RFC 7252 §9.1.3.3: with a peer that has both, the key goes first. A server goes by this order.
    ...(proofs.preSharedKey ? [tls12PskSuites] : []),
    ...(proofs.certificate ? [tls13Suites, tls12CertificateSuites] : [])
  ]
  return {
    // RFC 9132 §7.1: TLS 1.2 or later.
    minVersion: 'TLSv1.2',
    maxVersion: proofs.preSharedKey ? 'TLSv1.2' : 'TLSv1.3',
    ciphers: suites.join(':'),
    honorCipherOrder: true,
    ecdhCurve: 'P-256:X25519:P-384',
    sigalgs: signatures,
    // RFC 9325 §3.4, §3.5: no renegotiation; no tickets: Node lets in by one whoever was revoked meanwhile (docs/protocol/tls-limits.md).
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET,
    // RFC 5280 §6.1: an anchor need not be self-signed; an operator may trust one intermediate of a provider.
    allowPartialTrustChain: true
  }
}
