import { execFileSync, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Benchmark, Measurement } from './benchmark.ts'
import { bestRate } from './best-rate.ts'
import { onDtlsBed } from './dtls-bed.ts'

const party = join(import.meta.dirname, 'native/party.ts')

/** A process under load. */
export interface Server {
  readonly process: ChildProcess
  readonly port: string
}

/** On a core of its own where there are two: the servers share core 0, of which only one works at a time. */
export function pinned(
  core: number,
  args: readonly string[],
  program: string = process.execPath
): readonly [command: string, args: readonly string[]] {
  if (!existsSync('/usr/bin/taskset') || availableParallelism() < 2) return [program, args]
  return ['/usr/bin/taskset', ['-c', String(core), program, ...args]]
}

/** With a handler in JavaScript, or in C++; `openssl`: in C++, and OpenSSL keeps the sessions. */
export type EchoRole = 'batched' | 'native' | 'openssl'

/** Starts one of the echo servers. */
export function startServer(role: EchoRole, addon: string, credentials: string): Promise<Server> {
  return start(...pinned(0, [party, role, addon, credentials]))
}

/** Starts the echo server that is a program of its own. */
export function startProgram(program: string, args: readonly string[]): Promise<Server> {
  return start(...pinned(0, args, program))
}

async function start(command: string, args: readonly string[]): Promise<Server> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return { process: child, port: line.toString().trim().replace('port ', '') }
}

/**
 * Replies per second of processor time of the server: what it could do with a core for itself.
 * @param request A CoAP message with a token of 4 bytes, in place of 40 bytes of the generator's own.
 */
export function sample(server: Server, addon: string, credentials: string, request?: Uint8Array): number {
  const [command, args] = pinned(1, [
    party,
    'load',
    addon,
    credentials,
    server.port,
    String(server.process.pid),
    ...(request === undefined ? [] : [Buffer.from(request).toString('hex')])
  ])
  const line = execFileSync(command, args, { encoding: 'utf8', timeout: 10_000 })
  const { replies, cpuSeconds } = JSON.parse(line) as { replies: number; cpuSeconds: number }
  if (replies < 0 || cpuSeconds <= 0) throw new Error(`the load generator failed: ${line}`)
  return replies / cpuSeconds
}

/**
 * An echo over DTLS (AES-128-GCM, 64 sessions, 4 requests of 40 bytes in flight each) whose handler is JavaScript on
 * batches, against the same engine and socket with the handler in C++.
 */
function echoBatched(): Promise<Measurement> {
  return onDtlsBed(async ({ addon, credentials }) => {
    const batched = await startServer('batched', addon, credentials)
    const native = await startServer('native', addon, credentials)
    try {
      return bestRate(
        () => sample(batched, addon, credentials),
        () => sample(native, addon, credentials)
      )
    } finally {
      for (const one of [batched, native]) one.process.kill('SIGKILL')
    }
  })
}

export const benchmarks: readonly Benchmark[] = [{ name: 'dtls-echo-batched', run: echoBatched }]
