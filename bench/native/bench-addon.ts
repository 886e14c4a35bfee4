import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cppFilesIn } from '../../tools/engine-sources.ts'
import type {
  NativeAddress,
  NativeEndpointOptions,
  NativeEngineOptions
} from '../../packages/dtls/src/addon.ts'

declare const echoBrand: unique symbol
interface EchoHandle {
  readonly [echoBrand]: true
}

declare const subscribersBrand: unique symbol
export interface SubscribersHandle {
  readonly [subscribersBrand]: true
}

/** What only measurements need, kept out of the addon that is delivered. */
export interface BenchAddon {
  openEcho(options: NativeEndpointOptions): readonly [port: number, handle: EchoHandle]
  /** Never returns. */
  serveEcho(handle: EchoHandle): void
  /**
   * Replies within `durationMs`; −1 when the sessions did not come about. Calls `onEdge` at both ends of the sample.
   * `request`: a CoAP message with a token of 4 bytes, sent with ever new Message IDs and tokens; default 40 bytes.
   */
  generateLoad(
    options: NativeEngineOptions,
    server: NativeAddress,
    sessions: number,
    window: number,
    warmUpMs: number,
    durationMs: number,
    onEdge: () => void,
    request?: Uint8Array
  ): number
  /** Handshakes that `clients` finish within `durationMs`, one after another each; −1 when too many failed. */
  generateHandshakes(
    options: NativeEngineOptions,
    server: NativeAddress,
    clients: number,
    resumes: boolean,
    warmUpMs: number,
    durationMs: number,
    onEdge: () => void
  ): number
  /** Brings up sessions that say nothing; calls `onEdge` before the first and with all; how many, or −1. */
  holdSessions(
    options: NativeEngineOptions,
    server: NativeAddress,
    clients: number,
    onEdge: () => void
  ): number
  /**
   * Clients with a session each, of which the first sends `first` (unless it is empty) and then each sends `request`;
   * undefined when one got no 2.05.
   */
  subscribe(
    options: NativeEngineOptions,
    server: NativeAddress,
    clients: number,
    first: Uint8Array,
    request: Uint8Array
  ): SubscribersHandle | undefined
  /** The first client sends `change` (unless it is empty); how many clients got a 2.05 after that, each counted once. */
  awaitChange(handle: SubscribersHandle, change: Uint8Array, withinMs: number): number
}

const here = dirname(fileURLToPath(import.meta.url))
/** Where the sources of the product's engine are. */
export const engineFolder: string = join(here, '../../packages/dtls/native')

/** Compiles the product's engine with the measuring code around it, unless that was done from these very sources. */
export function buildBenchAddon(): string {
  const all = [...cppFilesIn(engineFolder).filter((file) => !file.endsWith('/addon.cc')), ...cppFilesIn(here)]
  const digest = createHash('sha256')
  for (const file of all) digest.update(readFileSync(file))
  const folder = join(here, 'build')
  const built = join(folder, `bench-${digest.digest('hex').slice(0, 16)}.node`)
  if (existsSync(built)) return built
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const headers = join(dirname(dirname(process.execPath)), 'include/node')
  const language = [
    '-std=c++20',
    '-O2',
    '-fPIC',
    '-shared',
    '-fvisibility=hidden',
    '-fno-exceptions',
    '-fno-rtti'
  ]
  const units = all.flatMap((file) => (file.endsWith('.cc') ? ['-include', file] : []))
  const output = ['-x', 'c++', '/dev/null', '-o', built]
  execFileSync('g++', [...language, '-DNAPI_VERSION=9', '-isystem', headers, ...units, ...output], {
    stdio: ['ignore', 2, 2]
  })
  return built
}

export function loadBenchAddon(path: string): BenchAddon {
  return createRequire(import.meta.url)(path) as BenchAddon
}
