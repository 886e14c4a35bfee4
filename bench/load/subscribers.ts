// Many observers in a process of their own: subscribers.ts ADDON PORT PID CLIENTS FIRST REQUEST, the last two in hex.
import { setTimeout as pause } from 'node:timers/promises'
import { ipv4 } from '@breakwater/core'
import { toNative } from '../../packages/dtls/src/native-address.ts'
import { toEngineOptions } from '../../packages/dtls/src/open-endpoint.ts'
import { loadBenchAddon } from '../native/bench-addon.ts'
import { processorSeconds } from './processor-time.ts'

/** What one change did. */
export interface Fanout {
  /** Clients that were told. */
  readonly told: number
  /** Processor time of the server for it, less what it takes when idle. */
  readonly workMs: number
}

const WITHIN_MS = 10_000
const IDLE_MS = 400
/** What the server still does after the last datagram counts, too. */
const AFTERMATH_MS = 100

const [addonPath = '', port = '', server = '', clients = '', first = '', request = ''] = process.argv.slice(2)
const local = { address: ipv4(0x7f000001), port: 0 }
const credentials = { kind: 'psk', identity: 'bench', key: Buffer.from('0123456789abcdef') } as const
const addon = loadBenchAddon(addonPath)
const handle = addon.subscribe(
  toEngineOptions({ role: 'client', local, credentials, limits: { handshaking: 100_000 } }),
  toNative({ ...local, port: Number(port) }),
  Number(clients),
  Buffer.from(first, 'hex'),
  Buffer.from(request, 'hex')
)
if (handle === undefined) throw new Error('the subscriptions did not come about')
const subscribers = handle

async function fanOut(change: Uint8Array): Promise<Fanout> {
  const [idleFrom, idleBefore] = [performance.now(), processorSeconds(server)]
  await pause(IDLE_MS)
  const [from, before] = [performance.now(), processorSeconds(server)]
  const told = addon.awaitChange(subscribers, change, WITHIN_MS)
  await pause(AFTERMATH_MS)
  const [until, after] = [performance.now(), processorSeconds(server)]
  const idle = ((before - idleBefore) / (from - idleFrom)) * (until - from)
  return { told, workMs: (after - before - idle) * 1000 }
}

process.on('message', (change: string) => {
  void fanOut(Buffer.from(change, 'hex')).then((fanout) => process.send?.(fanout))
})
process.on('disconnect', () => process.exit(0))
process.send?.('ready')
