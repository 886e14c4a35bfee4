import { section, text } from './option.ts'

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
    })
  },
  { description: 'Certificate, private key and trust anchors.' }
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
