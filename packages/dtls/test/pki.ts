import { execFileSync } from 'node:child_process'
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

  /** A certificate for one DNS name, for both roles; `commonName` defaults to the name. */
  issue(dnsName: string, commonName: string = dnsName): Issued {
    const base = join(this.folder, `issued-${++this.#issued}`)
    const [certificateFile, keyFile, request] = [`${base}.pem`, `${base}.key`, `${base}.csr`]
    const extensions = `${base}.ext`
    writeFileSync(extensions, `subjectAltName=DNS:${dnsName}\nextendedKeyUsage=serverAuth,clientAuth\n`)
    this.#openssl('req', ...p256, '-keyout', keyFile, '-out', request, '-subj', `/CN=${commonName}`)
    const signer = ['-CA', this.certificateFile, '-CAkey', this.#keyFile, '-CAcreateserial']
    this.#openssl(
      'x509',
      '-req',
      '-in',
      request,
      ...signer,
      '-days',
      '1',
      '-extfile',
      extensions,
      '-out',
      certificateFile
    )
    const [certificate, privateKey] = [certificateFile, keyFile].map((file) => readFileSync(file, 'utf8'))
    return { certificate: certificate ?? '', privateKey: privateKey ?? '', certificateFile, keyFile }
  }

  /** Credentials for one DNS name; trusts this authority unless told another. */
  credentials(dnsName: string, trusted: TestAuthority = this): CertificateCredentials {
    const { certificate, privateKey } = this.issue(dnsName)
    return { kind: 'certificate', certificate, privateKey, trustAnchors: trusted.certificate }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  #openssl(...args: readonly string[]): void {
    execFileSync('openssl', args, { stdio: 'pipe' })
  }
}

const p256 = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'] as const
