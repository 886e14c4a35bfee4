import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { TestAuthority } from '../packages/dtls/test/pki.ts'
import type { Benchmark, Measurement } from './benchmark.ts'

const party = join(import.meta.dirname, 'load/protect-party.ts')

/** Why this machine cannot tell; undefined when it can. */
function obstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'it needs root, for a network namespace and nftables'
  const missing = ['nft', 'ip', 'unshare'].find(
    (program) =>
      !['/usr/sbin', '/sbin', '/usr/bin', '/bin'].some((folder) => existsSync(join(folder, program)))
  )
  return missing === undefined ? undefined : `there is no ${missing} program`
}

/**
 * From `protect` at the control API of a client to the rule in the kernel, as the kernel's own messages tell it: client
 * and server of a network namespace of their own, over DTLS on its loopback. Against one bare transaction of nft; below
 * that, no server that drives nft can get.
 */
async function run(): Promise<Measurement | undefined> {
  const why = obstacle()
  if (why !== undefined) {
    console.error(`protect-to-rule-p50 was SKIPPED: ${why}`)
    return undefined
  }
  const authority = new TestAuthority('Breakwater bench CA')
  try {
    const [server, client] = ['server.example', 'client.example'].map((name) => authority.issue(name))
    if (server === undefined || client === undefined) throw new Error('no certificates')
    const files = [server.certificateFile, server.keyFile, client.certificateFile, client.keyFile]
    // A process namespace, too: when the party ends, however it does, nothing that it started stays behind.
    const { stdout } = await promisify(execFile)(
      'unshare',
      [
        '--net',
        '--pid',
        '--fork',
        '--kill-child',
        process.execPath,
        party,
        authority.folder,
        authority.certificateFile,
        ...files
      ],
      { timeout: 30_000 }
    )
    const { value, ceiling } = JSON.parse(stdout) as { value: number; ceiling: number }
    return { value, unit: 'ms', ceiling, ratio: value / ceiling }
  } finally {
    authority.remove()
  }
}

export const benchmarks: readonly Benchmark[] = [{ name: 'protect-to-rule-p50', run }]
