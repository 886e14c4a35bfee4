import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Benchmark, Measurement } from './benchmark.ts'
import { bestRate } from './best-rate.ts'
import { onDtlsBed } from './dtls-bed.ts'
import { pinned, startProgram, startServer } from './dtls-echo.ts'
import type { Server } from './dtls-echo.ts'
import { BENCH_PSK } from './load/bench-psk.ts'
import { buildEchoProgram } from './native/echo-program.ts'

const party = join(import.meta.dirname, 'native/party.ts')

/** What a client comes with. */
type Kind = 'full' | 'resumed' | 'psk'

/** Handshakes per second of processor time of the server. */
function sample(server: Server, addon: string, credentials: string, kind: Kind): number {
  const load = [party, 'handshakes', addon, credentials, server.port, String(server.process.pid), kind]
  const [command, args] = pinned(1, load)
  const line = execFileSync(command, args, { encoding: 'utf8', timeout: 20_000 })
  const { handshakes: finished, cpuSeconds } = JSON.parse(line) as { handshakes: number; cpuSeconds: number }
  if (finished < 0 || cpuSeconds <= 0) throw new Error(`the load generator failed: ${line}`)
  return finished / cpuSeconds
}

/**
 * Handshakes of mutual ECDHE-ECDSA P-256 certificates (`full`), of those with a session ticket (`resumed`), and of
 * pre-shared keys with ECDHE (`psk`), goodbye included, per second of processor time of the server. The ceiling is the same
 * engine and socket in a loop of C++ alone: what it costs that JavaScript hears of each session.
 */
function handshakes(kind: Kind): Promise<Measurement> {
  return onDtlsBed(async ({ addon, credentials }) => {
    const batched = await startServer('batched', addon, credentials)
    const native = await startServer('native', addon, credentials)
    try {
      return bestRate(
        () => sample(batched, addon, credentials, kind),
        () => sample(native, addon, credentials, kind)
      )
    } finally {
      for (const one of [batched, native]) one.process.kill('SIGKILL')
    }
  })
}

/** The same against a server that is a program of C++ alone, on the system's OpenSSL and with its sessions. */
function againstProgram(kind: Kind): Promise<Measurement | undefined> {
  return onDtlsBed(async ({ addon, authority, credentials, serverCredentials }) => {
    const program = buildEchoProgram()
    if (program === undefined) return undefined
    const { certificate, privateKey, trustAnchors } = serverCredentials
    const files = Object.entries({ certificate, privateKey, trustAnchors }).map(([name, pem]) => {
      const file = join(authority.folder, `program-${name}.pem`)
      writeFileSync(file, pem, { mode: 0o600 })
      return file
    })
    const batched = await startServer('batched', addon, credentials)
    const alone = await startProgram(program, [...files, BENCH_PSK.identity, BENCH_PSK.secret])
    try {
      return bestRate(
        () => sample(batched, addon, credentials, kind),
        () => sample(alone, addon, credentials, kind)
      )
    } finally {
      for (const one of [batched, alone]) one.process.kill('SIGKILL')
    }
  })
}

export const benchmarks: readonly Benchmark[] = [
  { name: 'handshake-full', run: () => handshakes('full') },
  { name: 'handshake-resumed', run: () => handshakes('resumed') },
  { name: 'handshake-psk', run: () => handshakes('psk') },
  { name: 'handshake-full-program', run: () => againstProgram('full') },
  { name: 'handshake-resumed-program', run: () => againstProgram('resumed') },
  { name: 'handshake-psk-program', run: () => againstProgram('psk') }
]
