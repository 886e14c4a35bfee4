import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { UnavailableError } from '@breakwater/core'

export interface NftOptions {
  /** The nft program, with what must stand before it (`['sudo', 'nft']`). Default `['nft']`, found on the PATH. */
  readonly command?: readonly string[]
  /** A call that takes longer is ended. Default 10. */
  readonly timeoutSeconds?: number
}

/** What one nft call is allowed to print: a table of some 100,000 rules. */
const outputLimitBytes = 64 * 1024 * 1024

/** Runs the nft program, one process a call, JSON in and out. */
export class Nft {
  readonly #command: readonly string[]
  readonly #timeoutSeconds: number
  #folder: Promise<string> | undefined

  constructor(options: NftOptions) {
    this.#command = options.command ?? ['nft']
    this.#timeoutSeconds = options.timeoutSeconds ?? 10
  }

  /** Applies all commands in one transaction or none of them; returns what nft echoes, handles included. */
  async transaction(commands: readonly unknown[]): Promise<readonly unknown[]> {
    // A file, because nft cannot open the socket that Node gives a child as standard input.
    const file = join(await this.#temporaryFolder(), 'transaction.json')
    await writeFile(file, JSON.stringify({ nftables: commands }), { mode: 0o600 })
    return this.#run(['--json', '--echo', '--handle', '--file', file])
  }

  /** The objects of one chain; undefined when there is no such chain. */
  async listChain(family: string, table: string, chain: string): Promise<readonly unknown[] | undefined> {
    try {
      return await this.#run(['--json', '--handle', 'list', 'chain', family, table, chain])
    } catch (error) {
      if (error instanceof UnavailableError && error.message.includes('No such file or directory'))
        return undefined
      throw error
    }
  }

  async close(): Promise<void> {
    if (this.#folder !== undefined) await rm(await this.#folder, { recursive: true, force: true })
    this.#folder = undefined
  }

  #temporaryFolder(): Promise<string> {
    this.#folder ??= mkdtemp(join(tmpdir(), 'breakwater-nft-'))
    return this.#folder
  }

  #run(args: readonly string[]): Promise<readonly unknown[]> {
    const options = {
      timeout: this.#timeoutSeconds * 1000,
      killSignal: 'SIGKILL' as const,
      maxBuffer: outputLimitBytes,
      env: { ...process.env, LC_ALL: 'C' }
    }
    const [program = 'nft', ...before] = this.#command
    return new Promise((resolve, reject) => {
      execFile(program, [...before, ...args], options, (error, stdout, stderr) => {
        if (error === null) resolve(objectsIn(stdout))
        else reject(failure(error, stderr))
      })
    })
  }
}

function objectsIn(stdout: string): readonly unknown[] {
  if (stdout.trim() === '') return []
  const parsed = JSON.parse(stdout) as { nftables?: readonly unknown[] }
  return parsed.nftables ?? []
}

function failure(
  error: Error & { code?: string | number | null; killed?: boolean },
  stderr: string
): UnavailableError {
  if (error.code === 'ENOENT')
    return new UnavailableError('MITIGATOR_NFT_MISSING', 'the nft program was not found', false, {
      cause: error
    })
  if (error.killed === true)
    return new UnavailableError('MITIGATOR_NFT_TIMEOUT', 'nft did not end in time', true, { cause: error })
  const said = stderr.trim().split('\n')[0] ?? ''
  const refused = said.includes('Operation not permitted')
  return new UnavailableError(
    refused ? 'MITIGATOR_NFT_FORBIDDEN' : 'MITIGATOR_NFT_FAILED',
    `nft: ${said === '' ? error.message : said}`,
    !refused,
    { cause: error }
  )
}
