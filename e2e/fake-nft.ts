import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createNamespace, obstacle } from '../packages/mitigators/test/network-namespace.ts'
import type { NetworkNamespace } from '../packages/mitigators/test/network-namespace.ts'

/** Why this cannot be done here; undefined when it can. */
export const nftObstacle: string | undefined = obstacle

interface ListedRule {
  readonly comment?: string
  readonly expr: readonly {
    readonly match?: {
      readonly right?: unknown
      readonly left?: { readonly payload?: { readonly field?: string } }
    }
  }[]
}

/**
 * An `nft` to put first on the PATH of a server: it acts on the kernel's nftables in a network namespace of its own, so
 * that nothing happens to this host, and hangs for as long as it is told to.
 */
export class FakeNft {
  readonly environment: Readonly<Record<string, string>>
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'breakwater-fake-nft-'))
  readonly #namespace: NetworkNamespace = createNamespace()
  readonly #hang: string = join(this.#folder, 'hang')

  constructor() {
    const real = execFileSync('sh', ['-c', 'command -v nft'], { encoding: 'utf8' }).trim()
    const program = join(this.#folder, 'nft')
    writeFileSync(
      program,
      `#!/bin/sh
while [ -e ${this.#hang} ]; do sleep 0.05; done
exec ${this.#namespace.prefix.join(' ')} ${real} "$@"
`
    )
    chmodSync(program, 0o755)
    // A killed server leaves its temporary files: here they go with the rest.
    this.environment = {
      TMPDIR: this.#folder,
      PATH: `${this.#folder}${delimiter}${process.env['PATH'] ?? ''}`
    }
  }

  /** From now on every call hangs, those that are on their way excepted. */
  hang(): void {
    writeFileSync(this.#hang, '')
  }

  /** Lets go of whatever hangs. */
  release(): void {
    rmSync(this.#hang, { force: true })
  }

  /** What the host's administrator could do by hand. */
  run(...command: readonly string[]): string {
    return this.#namespace.run('nft', ...command)
  }

  /** The destination of each rule in the kernel, one entry a rule, sorted. */
  destinations(): string[] {
    return this.#rules()
      .map(({ expr }) =>
        expr.map(({ match }) => (match?.left?.payload?.field === 'daddr' ? textOf(match.right) : ''))
      )
      .map((texts) => texts.join(''))
      .toSorted()
  }

  remove(): void {
    this.release()
    this.#namespace.delete()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #rules(): ListedRule[] {
    let listing: string
    try {
      listing = this.run('--json', 'list', 'table', 'inet', 'breakwater')
    } catch {
      return []
    }
    const { nftables } = JSON.parse(listing) as { nftables: readonly { readonly rule?: ListedRule }[] }
    return nftables.flatMap(({ rule }) => (rule === undefined ? [] : [rule]))
  }
}

function textOf(right: unknown): string {
  if (typeof right === 'string') return right
  const { prefix } = right as { prefix?: { addr: string; len: number } }
  return prefix === undefined ? JSON.stringify(right) : `${prefix.addr}/${prefix.len}`
}
