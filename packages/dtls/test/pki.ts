import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CertificateCredentials } from '@breakwater/core'

/** One certificate with its key, as PEM texts and as files. */
export interface Issued {
  readonly certificate: string
  readonly privateKey: string
  readonly certificateFile: string
  readonly keyFile: string
}

export interface IssueOptions {
  /** Signs in place of the authority itself. */
  readonly issuer?: Issued
  /** Default: the DNS name. */
  readonly commonName?: string
  /** Until it expires; negative: it has. Default 1. */
  readonly days?: number
  /** In place of the DNS name, as openssl-x509v3_config writes it; empty: no such extension. */
  readonly alternativeNames?: string
  /** Extended key usage. Default: both roles. */
  readonly usage?: string
  /** One more extension of an authority. */
  readonly more?: string
}

/** A certification authority in a temporary folder, made with the openssl command: P-256, good for one day. */
export class TestAuthority {
  readonly folder: string
  readonly certificate: string
  readonly certificateFile: string
  readonly #keyFile: string
  #issued = 0

  constructor(name: string) {
    this.folder = mkdtempSync(join(tmpdir(), 'breakwater-pki-'))
    this.certificateFile = join(this.folder, 'ca.pem')
    this.#keyFile = join(this.folder, 'ca.key')
    this.#openssl(
      'req',
      '-x509',
      ...p256,
      '-keyout',
      this.#keyFile,
      '-out',
      this.certificateFile,
      '-days',
      '1',
      '-subj',
      `/CN=${name}`
    )
    this.certificate = readFileSync(this.certificateFile, 'utf8')
  }

  /** A certificate for one DNS name. */
  issue(dnsName: string, options: IssueOptions = {}): Issued {
    const usage = options.usage ?? 'serverAuth,clientAuth'
    const names = options.alternativeNames ?? `DNS:${dnsName}`
    const extensions = `${names === '' ? '' : `subjectAltName=${names}\n`}extendedKeyUsage=${usage}\n`
    return this.#sign(options.commonName ?? dnsName, extensions, options)
  }

  /** A certificate that may sign others. */
  issueAuthority(name: string, options: IssueOptions = {}): Issued {
    const extensions = `basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,cRLSign\n${options.more ?? ''}\n`
    return this.#sign(name, extensions, options)
  }

  /** Credentials for one DNS name; trusts this authority unless told another. */
  credentials(dnsName: string, trusted: TestAuthority = this): CertificateCredentials {
    const { certificate, privateKey } = this.issue(dnsName)
    return { kind: 'certificate', certificate, privateKey, trustAnchors: trusted.certificate }
  }

  /** A revocation list of this authority (or of `issuer`) over these certificates, between two days from now. */
  revoke(revoked: readonly Issued[], from = -1, to = 1, issuer?: Issued): string {
    const base = join(this.folder, `crl-${++this.#issued}`)
    const lines = revoked.map(({ certificate }) => {
      const { serialNumber } = new X509Certificate(certificate)
      return `R\t491231235959Z\t260101000000Z\t${serialNumber}\tunknown\t/CN=revoked\n`
    })
    writeFileSync(`${base}.txt`, lines.join(''))
    writeFileSync(`${base}.cnf`, `[ca]\ndefault_ca=own\n[own]\ndatabase=${base}.txt\ndefault_md=sha256\n`)
    const by = issuer ?? { certificateFile: this.certificateFile, keyFile: this.#keyFile }
    const signer = ['-cert', by.certificateFile, '-keyfile', by.keyFile, '-config', `${base}.cnf`]
    const times = ['-crl_lastupdate', asn1Time(from), '-crl_nextupdate', asn1Time(to)]
    this.#openssl('ca', '-gencrl', ...signer, ...times, '-out', `${base}.pem`)
    return readFileSync(`${base}.pem`, 'utf8')
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  #sign(commonName: string, extensionText: string, { issuer, days = 1 }: IssueOptions): Issued {
    const base = join(this.folder, `issued-${++this.#issued}`)
    const [certificateFile, keyFile, request] = [`${base}.pem`, `${base}.key`, `${base}.csr`]
    const extensions = `${base}.ext`
    writeFileSync(extensions, extensionText)
    this.#openssl('req', ...p256, '-keyout', keyFile, '-out', request, '-subj', `/CN=${commonName}`)
    const by = issuer ?? { certificateFile: this.certificateFile, keyFile: this.#keyFile }
    const signer = ['-CA', by.certificateFile, '-CAkey', by.keyFile, '-CAcreateserial', '-days', String(days)]
    this.#openssl('x509', '-req', '-in', request, ...signer, '-extfile', extensions, '-out', certificateFile)
    const [certificate, privateKey] = [certificateFile, keyFile].map((file) => readFileSync(file, 'utf8'))
    return { certificate: certificate ?? '', privateKey: privateKey ?? '', certificateFile, keyFile }
  }

  #openssl(...args: readonly string[]): void {
    execFileSync('openssl', args, { stdio: 'pipe' })
  }
}

const asn1Time = (daysFromNow: number): string =>
  `${new Date(Date.now() + daysFromNow * 86_400_000).toISOString().replace(/[-:T]|\..*/g, '')}Z`

const p256 = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'] as const
