import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { UnavailableError } from '@breakwater/core'

import { LaunchError, Launcher } from './launcher.ts'

export interface NftOptions {
  /** The nft program, with what must stand before it (`['sudo', 'nft']`). Default `['nft']`, found on the PATH. */
  readonly command?: readonly string[]
  /** A call that takes longer is ended. Default 10. */
  readonly timeoutSeconds?: number
}

/** What one nft call is allowed to print: a table of some 100,000 rules. */
const outputLimitBytes = 64 * 1024 * 1024

/** File of the transaction, in a folder of our own. */
const transactionFile = 'transaction.json'

interface Workshop {
  readonly folder: string
  readonly launcher: Launcher
}

/** Runs the nft program, one process a call, one call at a time, JSON in and out. */
export class Nft {
  readonly #command: readonly string[]
  readonly #timeoutMs: number
  #workshop: Promise<Workshop> | undefined

  constructor(options: NftOptions) {
    this.#command = options.command ?? ['nft']
    this.#timeoutMs = (options.timeoutSeconds ?? 10) * 1000
  }

  /** Applies all commands in one transaction or none of them; returns what nft echoes, handles included. */
  async transaction(commands: readonly unknown[]): Promise<readonly unknown[]> {
    const { folder } = await this.#opened()
    // A file, because nft cannot open the socket that Node gives a child as standard input.
    await writeFile(join(folder, transactionFile), JSON.stringify({ nftables: commands }), { mode: 0o600 })
    return this.#run(['--json', '--echo', '--handle', '--file', transactionFile])
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
    const workshop = await this.#workshop
    this.#workshop = undefined
    if (workshop === undefined) return
    workshop.launcher.close()
    await rm(workshop.folder, { recursive: true, force: true })
  }

  #opened(): Promise<Workshop> {
    this.#workshop ??= this.#open()
    return this.#workshop
  }

  async #open(): Promise<Workshop> {
    const folder = await mkdtemp(join(tmpdir(), 'breakwater-nft-'))
    const command = this.#command
    return {
      folder,
      launcher: new Launcher({ command, folder, timeoutMs: this.#timeoutMs, outputLimitBytes })
    }
  }

  async #run(args: readonly string[]): Promise<readonly unknown[]> {
    const { launcher } = await this.#opened()
    try {
      const { code, stdout, stderr } = await launcher.run(args)
      if (code !== 0) throw failure(code, stderr)
      return objectsIn(stdout)
    } catch (error) {
      throw error instanceof LaunchError ? aborted(error) : error
    }
  }
}

function objectsIn(stdout: string): readonly unknown[] {
  if (stdout.trim() === '') return []
  const parsed = JSON.parse(stdout) as { nftables?: readonly unknown[] }
  return parsed.nftables ?? []
}

/** Exit codes of the shell for a program that it did not find or could not run. */
const notFound = 127
const notRunnable = 126

function failure(code: number, stderr: string): UnavailableError {
  const said = stderr.trim().split('\n')[0] ?? ''
  if (code === notFound || code === notRunnable)
    return new UnavailableError('MITIGATOR_NFT_MISSING', `the nft program cannot be run: ${said}`, false)
  const refused = said.includes('Operation not permitted')
  return new UnavailableError(
    refused ? 'MITIGATOR_NFT_FORBIDDEN' : 'MITIGATOR_NFT_FAILED',
    `nft: ${said === '' ? `exit code ${code}` : said}`,
    !refused
  )
}

function aborted(cause: LaunchError): UnavailableError {
  switch (cause.failure) {
    case 'timeout':
      return new UnavailableError('MITIGATOR_NFT_TIMEOUT', 'nft did not end in time', true, { cause })
    case 'output-too-long':
      return new UnavailableError('MITIGATOR_NFT_FAILED', 'nft says more than it may', true, { cause })
    case 'launcher-died':
      return new UnavailableError('MITIGATOR_NFT_FAILED', 'the shell that starts nft ended', true, { cause })
  }
}
