import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError } from '@breakwater/core'

/** A folder of its own for one test file, with a certificate and keys to name in configurations. */
export class Sandbox {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'breakwater-'))

  constructor() {
    this.#issue('own')
    this.#issue('other')
    this.write('good.psk', `${'0f'.repeat(16)}\n`, 0o600)
  }

  /** Writes a file and returns its path. */
  write(name: string, text: string, mode = 0o644): string {
    const path = join(this.folder, name)
    writeFileSync(path, text)
    chmodSync(path, mode)
    return path
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  #issue(name: string): void {
    const [key, certificate] = [join(this.folder, `${name}.key`), join(this.folder, `${name}.crt`)]
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
    const args = [
      'req',
      '-x509',
      ...curve,
      '-nodes',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      key,
      '-out',
      certificate
    ]
    execFileSync('openssl', args, { stdio: 'ignore' })
    chmodSync(key, 0o600)
  }
}

/** `line:column path: message` of every mistake that `load` throws; undefined when it throws none. */
export function mistakesOf(load: () => unknown): string[] | undefined {
  try {
    load()
    return undefined
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`)
  }
}
