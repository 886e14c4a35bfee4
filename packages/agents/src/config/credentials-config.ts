import { list, optional, section, text } from './option.ts'

/** An X.509 certificate with all that belongs to it. */
export const certificateCredentials = section(
  {
    certificate: text('certificate-file', {
      description: 'PEM file: the own certificate first, then the intermediates.'
    }),
    privateKey: text('private-key-file', {
      description: 'PEM file with the private key of the certificate. Others must not be able to read it.'
    }),
    trustAnchors: text('trust-anchors-file', {
      description: 'PEM file with the certificates of the authorities that peers must be certified by.',
      source: 'RFC 9132 §7.1'
    }),
    revocationLists: optional(
      text('revocation-lists-file', {
        description:
          'PEM file with a current revocation list of each authority below the trust anchors; left out: nobody asks whether a certificate was revoked.',
        source: 'RFC 5280 §6.3'
      })
    )
  },
  { description: 'Certificate, private key and trust anchors.' }
)

/** A key without a certificate, and the servers that it is shown to. */
export const rawPublicKeyCredentials = section(
  {
    rawPrivateKey: text('private-key-file', {
      description:
        'PEM file with a private key for ECDSA; its public half stands for the client. Others must not be able to read it.'
    }),
    serverKeys: list(text('key-digest', { description: 'SHA-256 of the public key of a server.' }), 1, {
      description: 'The keys that a server may have, each as 64 hexadecimal digits, or the first 30 of them.',
      source: 'RFC 7252 §9.1.3.2.1'
    })
  },
  { description: 'A raw public key, over DTLS only.' }
)

/** The same of a server, whose list is that of its clients. */
export const serverRawPublicKey = section(
  {
    privateKey: text('private-key-file', {
      description:
        'PEM file with a private key for ECDSA; beside `credentials` it must be the key of the certificate. Others must not be able to read it.'
    })
  },
  { description: 'A raw public key for clients that come with one, over DTLS only.' }
)

const keyFileDescription =
  'File with the key in hexadecimal: 16 to 64 bytes. Others must not be able to read it.'

/** A key that both sides were given beforehand. */
export const pskCredentials = section(
  {
    pskIdentity: text('psk-identity', { description: 'The identity that goes with the key.' }),
    keyFile: text('psk-file', { description: keyFileDescription, source: 'RFC 7925 §4.2' })
  },
  { description: 'A pre-shared key.' }
)

/** One row of the keys that a server knows. */
export const preSharedKey = section(
  {
    identity: text('psk-identity', { description: 'The identity that a client names.' }),
    keyFile: text('psk-file', { description: keyFileDescription, source: 'RFC 7925 §4.2' })
  },
  { description: 'A key that the server shares with one client.' }
)
