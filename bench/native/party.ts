// One party of the benchmarks of DTLS, in a process of its own: party.ts ROLE ADDON CREDENTIALS [PORT PID [WHAT…]]
import { readFileSync } from 'node:fs'
import { ipv4 } from '@breakwater/core'
import type { CertificateCredentials, SecureEndpoint } from '@breakwater/core'
import { openDtlsEndpoint } from '@breakwater/dtls'
import { toNative } from '../../packages/dtls/src/native-address.ts'
import { toEngineOptions } from '../../packages/dtls/src/open-endpoint.ts'
import { BENCH_PSK } from '../load/bench-psk.ts'
import { processorSeconds } from '../load/processor-time.ts'
import { loadBenchAddon } from './bench-addon.ts'

const [role, addonPath = '', credentialsFile = '', port = '0'] = process.argv.slice(2)
const credentials = JSON.parse(readFileSync(credentialsFile, 'utf8')) as Record<
  'server' | 'client',
  CertificateCredentials
>
const local = { address: ipv4(0x7f000001), port: 0 }
const psk = { kind: 'psk', identity: BENCH_PSK.identity, key: Buffer.from(BENCH_PSK.secret) } as const
const serverOptions = {
  role: 'server',
  local,
  certificate: credentials.server,
  preSharedKeys: new Map([[psk.identity, psk.key]]),
  // The load comes from one machine, and from fewer sources than it would.
  limits: { hellosPerSecondPerSource: 100_000, unverifiedHellosPerSecond: 1_000_000 }
} as const

const sessions = 64
const window = 4
const warmUpMs = 100
const durationMs = 600
/** Handshakes under way at a time. */
const clients = 32
const handshakeWarmUpMs = 300
const handshakeMs = 1000

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

async function echoInBatches(): Promise<void> {
  const endpoint: SecureEndpoint = await openDtlsEndpoint(serverOptions, {
    onBatch: (batch) => {
      for (let index = 0; index < batch.count; index++) endpoint.send(batch.peer(index), batch.bytes(index))
    },
    onSession: () => undefined
  })
  say(`port ${endpoint.local.port}`)
}

function echoInNative(recordOffload: boolean): void {
  const addon = loadBenchAddon(addonPath)
  const options = toEngineOptions({ ...serverOptions, recordOffload })
  const [bound, handle] = addon.openEcho({ ...options, local: toNative(local) })
  process.stdout.write(`port ${bound}\n`, () => addon.serveEcho(handle))
}

function generate(): void {
  const server = { ...local, port: Number(port) }
  const options = toEngineOptions({ role: 'client', local, credentials: credentials.client })
  const serverProcess = process.argv[6] ?? ''
  const request = process.argv[7]
  const edges: number[] = []
  const replies = loadBenchAddon(addonPath).generateLoad(
    options,
    toNative(server),
    sessions,
    window,
    warmUpMs,
    durationMs,
    () => edges.push(processorSeconds(serverProcess)),
    request === undefined ? undefined : Buffer.from(request, 'hex')
  )
  const [start = 0, end = 0] = edges
  say(JSON.stringify({ replies, cpuSeconds: end - start }))
}

function connectingOptions(kind: string): ReturnType<typeof toEngineOptions> {
  const own = kind === 'psk' ? psk : credentials.client
  return toEngineOptions({ role: 'client', local, credentials: own, limits: { handshaking: 100_000 } })
}

function shake(): void {
  const [serverProcess = '', kind = ''] = process.argv.slice(6)
  const edges: number[] = []
  const handshakes = loadBenchAddon(addonPath).generateHandshakes(
    connectingOptions(kind),
    toNative({ ...local, port: Number(port) }),
    clients,
    kind === 'resumed',
    handshakeWarmUpMs,
    handshakeMs,
    () => edges.push(processorSeconds(serverProcess))
  )
  const [start = 0, end = 0] = edges
  say(JSON.stringify({ handshakes, cpuSeconds: end - start }))
}

/** VmRSS. */
function residentBytes(serverProcess: string): number {
  const [, pages = '0'] = readFileSync(`/proc/${serverProcess}/statm`, 'utf8').split(' ')
  return Number(pages) * 4096
}

function hold(): void {
  const [serverProcess = '', kind = '', count = '0'] = process.argv.slice(6)
  const edges: number[] = []
  const held = loadBenchAddon(addonPath).holdSessions(
    connectingOptions(kind),
    toNative({ ...local, port: Number(port) }),
    Number(count),
    () => edges.push(residentBytes(serverProcess))
  )
  const [start = 0, end = 0] = edges
  say(JSON.stringify({ held, bytes: end - start }))
}

if (role === 'batched') await echoInBatches()
else if (role === 'native') echoInNative(true)
else if (role === 'openssl') echoInNative(false)
else if (role === 'handshakes') shake()
else if (role === 'sessions') hold()
else generate()
