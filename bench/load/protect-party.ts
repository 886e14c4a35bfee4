// Runs inside a network namespace of its own: protect-party.ts FOLDER CA SERVER-CRT SERVER-KEY CLIENT-CRT CLIENT-KEY
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { formatIpAddress, ipv4, prefixOf } from '@breakwater/core'
import { PlanId } from '@breakwater/dots'
import { openNftablesMitigator } from '@breakwater/mitigators'
import { startDotsAgent } from './dots-agent.ts'
import type { DotsAgent } from './dots-agent.ts'

const rounds = 5
const samplesPerRound = 8
/** No sample may be caught in the pacing of the one before (RFC 9132 §4.4: one request per round trip). */
const pauseMs = 60

const [folder = '', trustAnchors = '', ...pems] = process.argv.slice(2)

/** Hears of every new rule of the namespace, from the kernel. */
class RuleWatch {
  readonly #process = spawn('nft', ['monitor', 'new', 'rules'], { stdio: ['ignore', 'pipe', 'inherit'] })
  readonly #awaited = new Map<string, () => void>()

  constructor() {
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      for (const [text, heard] of this.#awaited) if (line.includes(`daddr ${text} `)) heard()
    })
  }

  /** Resolves when there is a rule for this address. */
  rule(address: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no rule for ${address}`)), 5000)
      this.#awaited.set(address, () => {
        clearTimeout(late)
        this.#awaited.delete(address)
        resolve()
      })
    })
  }

  end(): void {
    this.#process.kill('SIGKILL')
  }
}

async function startAgents(): Promise<{ readonly server: DotsAgent; readonly client: DotsAgent }> {
  const [serverCertificate, serverKey, clientCertificate, clientKey] = pems
  const prefixes = ['203.0.113.0/24']
  const server = await startDotsAgent({
    role: 'server',
    folder,
    config: {
      listen: [{ address: '127.0.0.1' }],
      credentials: { certificate: serverCertificate, privateKey: serverKey, trustAnchors },
      clients: [{ name: 'home', identity: { dnsName: 'client.example' }, prefixes }],
      mitigator: { kind: 'nftables', hook: 'forward' },
      store: { path: join(folder, 'store.db') },
      audit: { path: join(folder, 'audit.jsonl') }
    }
  })
  const client = await startDotsAgent({
    role: 'client',
    folder,
    config: {
      domains: [
        {
          name: 'isp',
          sources: ['127.0.0.1'],
          prefixes,
          server: { name: 'server.example', addresses: ['127.0.0.1'] },
          credentials: { certificate: clientCertificate, privateKey: clientKey, trustAnchors }
        }
      ]
    }
  })
  return { server, client }
}

async function untilEstablished({ control }: DotsAgent): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const sessions = await control.sessions()
    if (sessions.some(({ state }) => state === 'established')) return
    await pause(50)
  }
  throw new Error(`no session: ${JSON.stringify(await control.sessions())}`)
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await act()
  return performance.now() - start
}

function median(samples: readonly number[]): number {
  return samples.toSorted((a, b) => a - b)[samples.length >> 1] ?? 0
}

/** Half of the addresses, so that no two of them become one prefix. */
function addressOf(sample: number): string {
  return `203.0.113.${2 * sample + 1}`
}

execFileSync('ip', ['link', 'set', 'lo', 'up'])
mkdirSync(folder, { recursive: true })
const { server, client } = await startAgents()
await untilEstablished(client)
const watch = new RuleWatch()
const bare = await openNftablesMitigator({ hook: 'forward', table: 'bare' })

/** What the server's mitigator does, without a server. Its call ends later than the rule begins: nft has to exit. */
async function applyBare(sample: number): Promise<void> {
  const address = ipv4(0x0a000000 + sample)
  const rule = watch.rule(formatIpAddress(address))
  const target = { prefixes: [prefixOf(address, 32)], ports: [], protocols: [] }
  ended = bare.apply({ id: PlanId(`bare-${sample}`), target, action: 'discard' })
  await rule
}

let ended: Promise<void> = Promise.resolve()
let [value, ceiling] = [Infinity, Infinity]
for (let round = 0; round < rounds; round++) {
  const whole: number[] = []
  const alone: number[] = []
  for (let index = 0; index < samplesPerRound; index++) {
    const sample = round * samplesPerRound + index
    const address = addressOf(sample)
    const rule = watch.rule(address)
    whole.push(
      await timed(async () => {
        const answer = await client.control.protect({ prefixes: [`${address}/32`] })
        if (!answer.accepted) throw new Error('the protection was refused')
        await rule
      })
    )
    await pause(pauseMs)
    alone.push(await timed(() => applyBare(sample)))
    await pause(pauseMs)
  }
  value = Math.min(value, median(whole))
  ceiling = Math.min(ceiling, median(alone))
}
await ended
watch.end()
await client.stop()
await server.stop()
process.stdout.write(JSON.stringify({ value, ceiling }))
process.exit(0)
