import { webcrypto, createPrivateKey } from 'node:crypto'
import { join } from 'node:path'
import { ConfigError } from '@breakwater/core'
import { ExitCode } from '../../exit-code.ts'
import { reporter } from '../../output/report.ts'
import { usageError } from '../../usage-error.ts'
import {
  authorityFiles,
  generateKeys,
  loadX509,
  privateKeyPem,
  randomSerial,
  readAuthorityFile,
  signatureAlgorithm,
  writeNew
} from './authority.ts'
import { commonName, dnsName, fileName, parseDays, validity } from './names.ts'

export interface IssueOptions {
  readonly json?: boolean
  readonly server?: boolean
  readonly client?: boolean
  readonly dns?: readonly string[]
  readonly dir: string
  readonly days: string
}

/** `dots pki issue NAME --server|--client --dns …` */
export async function issueCertificate(name: string, options: IssueOptions): Promise<ExitCode> {
  const base = join(options.dir, fileName(name))
  const names = (options.dns ?? []).map((text) => dnsName(text))
  if (names.length === 0) throw usageError('name the agent with --dns: peers know it by its DNS name only')
  if (options.server === options.client) throw usageError('say --server or --client')
  const authority = authorityFiles(options.dir)
  const issuerPem = readAuthorityFile(authority.certificate)
  const issuerKeyPem = readAuthorityFile(authority.key)
  const x509 = await loadX509()
  const issuer = new x509.X509Certificate(issuerPem)
  const keys = await generateKeys()
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomSerial(),
    subject: commonName(name),
    issuer: issuer.subject,
    ...validity(parseDays(options.days)),
    signingAlgorithm: signatureAlgorithm,
    publicKey: keys.publicKey,
    signingKey: await importSigningKey(issuerKeyPem, authority.key),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        options.server === true ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth
      ]),
      new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value }))),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey)
    ]
  })
  const files = { certificate: `${base}.crt`, key: `${base}.key`, trustAnchors: authority.certificate }
  writeNew(files.key, await privateKeyPem(keys.privateKey), 0o600)
  writeNew(files.certificate, `${certificate.toString('pem')}\n`, 0o644)
  reporter(options.json === true).result({ ...files, dnsNames: names }, () => [
    `${files.certificate}: certificate of ${names.join(', ')}`,
    `${files.key}: its private key`
  ])
  return ExitCode.ok
}

async function importSigningKey(pem: string, path: string): Promise<webcrypto.CryptoKey> {
  try {
    const der = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' })
    return await webcrypto.subtle.importKey('pkcs8', der, signatureAlgorithm, false, ['sign'])
  } catch (error) {
    throw new ConfigError('PKI_AUTHORITY_UNUSABLE', `${path} holds no P-256 private key`, [], {
      cause: error
    })
  }
}
