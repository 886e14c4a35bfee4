import type { CertificateCredentials } from '@breakwater/core'

// Past the public door: the command issues one certificate a process, and here there are hundreds.
import {
  generateKeys,
  loadX509,
  privateKeyPem,
  randomSerial,
  signatureAlgorithm
} from '../../../packages/cli/src/commands/pki/authority.ts'
import { validity } from '../../../packages/cli/src/commands/pki/names.ts'

/** Gives a certificate for a DNS name. */
export type Certify = (dnsName: string) => Promise<CertificateCredentials>

/** An authority that certifies the provider's server and all customers, and lives no longer than its process. */
export async function openAuthority(): Promise<Certify> {
  const x509 = await loadX509()
  const keys = await generateKeys()
  const own = { ...validity(1), signingAlgorithm: signatureAlgorithm }
  const anchor = await x509.X509CertificateGenerator.createSelfSigned({
    ...own,
    serialNumber: randomSerial(),
    name: 'CN=flooded-link',
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true)
    ]
  })
  const trustAnchors = anchor.toString('pem')
  return async (dnsName) => {
    const { publicKey, privateKey } = await generateKeys()
    const certificate = await x509.X509CertificateGenerator.create({
      ...own,
      serialNumber: randomSerial(),
      subject: `CN=${dnsName}`,
      issuer: anchor.subject,
      publicKey,
      signingKey: keys.privateKey,
      // What `dots pki issue` puts in: the size of a flight depends on it.
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([
          x509.ExtendedKeyUsage.serverAuth,
          x509.ExtendedKeyUsage.clientAuth
        ]),
        new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: dnsName }]),
        await x509.SubjectKeyIdentifierExtension.create(publicKey),
        await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey)
      ]
    })
    return {
      kind: 'certificate',
      certificate: certificate.toString('pem'),
      privateKey: await privateKeyPem(privateKey),
      trustAnchors
    }
  }
}
