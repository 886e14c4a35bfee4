import { ExitCode } from '../../exit-code.ts'
import { reporter } from '../../output/report.ts'
import {
  authorityFiles,
  generateKeys,
  loadX509,
  makeFolder,
  privateKeyPem,
  randomSerial,
  signatureAlgorithm,
  writeNew
} from './authority.ts'
import { commonName, parseDays, validity } from './names.ts'

export interface InitOptions {
  readonly json?: boolean
  readonly name: string
  readonly days: string
}

/** `dots pki init DIR`: a certification authority of one's own, for a lab or a small site. */
export async function initAuthority(folder: string, options: InitOptions): Promise<ExitCode> {
  const x509 = await loadX509()
  const name = commonName(options.name)
  const keys = await generateKeys()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: randomSerial(),
    name,
    ...validity(parseDays(options.days)),
    signingAlgorithm: signatureAlgorithm,
    keys,
    extensions: [
      // Signs end entities only: an authority below it would be a mistake.
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey)
    ]
  })
  makeFolder(folder)
  const files = authorityFiles(folder)
  writeNew(files.key, await privateKeyPem(keys.privateKey), 0o600)
  writeNew(files.certificate, `${certificate.toString('pem')}\n`, 0o644)
  reporter(options.json === true).result(files, () => [
    `${files.certificate}: the trust anchor, for every agent`,
    `${files.key}: the key of the authority; keep it to yourself`
  ])
  return ExitCode.ok
}
