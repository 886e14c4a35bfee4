import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { run } from './backends/netns/command.ts'
import { type Namespace, obstacleToNamespaces } from './backends/netns/namespace.ts'
import { type TwoProviderNetwork, buildTwoProviderNetwork } from './backends/netns/two-provider-network.ts'
import { twoProviders } from './scenarios/two-providers-addresses.ts'

/**
 *                       wan1 ── isp1 (BCP 38) ── DOTS server of isp1
 *   DOTS client ── CPE                                                ── internet
 *                       wan2 ── isp2 (BCP 38) ── DOTS server of isp2
 *
 * The CPE routes by destination, as CPEs do, until `dots site exits --apply`.
 */
const { isp1, isp2, attacker: internetHost } = twoProviders
const internal = { client: '10.9.0.2', cpe: '10.9.0.1' }
const dotsPort = 4646

const obstacle = await obstacleToNamespaces()
if (obstacle !== undefined) console.warn(`lab/site-exits.test.ts is skipped: ${obstacle}`)

const site = `
domains:
  - name: isp1
    prefixes: [${isp1.prefix}]
    servers: [{ name: dots.isp1.example, addresses: [${isp1.server}] }]
  - name: isp2
    prefixes: [${isp2.prefix}]
    servers: [{ name: dots.isp2.example, addresses: [${isp2.server}] }]
routers:
  - name: cpe
    exits:
      - { domain: isp1, interface: wan1, gateways: [${isp1.edge}], sources: [${isp1.gateway}] }
      - { domain: isp2, interface: wan2, gateways: [${isp2.edge}], sources: [${isp2.gateway}] }
    inside: [lan]
`

const folder = mkdtempSync(join(tmpdir(), 'breakwater-exits-'))
const siteFile = join(folder, 'site.yaml')
const launcher = join(import.meta.dirname, '../packages/cli/bin/dots.mjs')

/** Tells whoever sends it a datagram which address it came from. */
const mirror = `const s=require('node:dgram').createSocket('udp4');
s.on('message',(m,r)=>s.send(r.address,r.port,r.address));s.bind(${dotsPort},process.argv[1],()=>console.log('ready'))`
/** Sends datagrams until one is answered; prints the answer, or nothing. */
const asker = `const s=require('node:dgram').createSocket('udp4');const [,from,to]=process.argv;
s.on('message',(m,r)=>{console.log(r.address+' saw '+m);process.exit()});
s.bind(0,from,()=>{s.send('hello',${dotsPort},to);setTimeout(()=>s.send('hello',${dotsPort},to),300);setTimeout(()=>process.exit(),900)})`

async function startMirror(namespace: Namespace, address: string): Promise<void> {
  const child = namespace.start([process.execPath, '-e', mirror, address])
  for (let left = 200; left > 0; left--) {
    if (child.stdout?.read() !== null) return
    await pause(50)
  }
  throw new Error(`nothing listens at ${address}`)
}

/** Packets that a provider dropped, because it did not assign their source. */
async function dropped(provider: Namespace): Promise<number> {
  const listed = await provider.exec(['nft', 'list', 'counter', 'inet', 'ingress', 'foreign_source'])
  return Number(/packets (\d+)/.exec(listed)?.[1])
}

describe.skipIf(obstacle !== undefined)('dots site exits at a CPE of two providers', () => {
  let network: TwoProviderNetwork

  beforeAll(async () => {
    writeFileSync(siteFile, site)
    network = await buildTwoProviderNetwork()
    const { cpe, home, isp1: one, isp2: two, internet } = network
    // A CPE as it comes: by destination only.
    for (const pref of [100, 101, 101, 102, 102]) await cpe.exec(['ip', 'rule', 'del', 'pref', String(pref)])
    await cpe.ip(['route flush table 101', 'route flush table 102', `addr add ${internal.cpe}/24 dev lan`])
    await home.ip([`addr add ${internal.client}/24 dev lan`])
    await startMirror(one, isp1.server)
    await startMirror(two, isp2.server)
    await startMirror(internet, internetHost)
  })
  afterAll(async () => {
    await network?.destroy()
    rmSync(folder, { recursive: true, force: true })
  })

  /** `192.0.2.1 saw 198.51.100.1`; empty: nobody answered. */
  async function ask(source: string, destination: string): Promise<string> {
    return (await network.home.exec([process.execPath, '-e', asker, source, destination])).trim()
  }

  function exits(...words: string[]) {
    const command = [process.execPath, launcher, 'site', 'exits', siteFile, ...words]
    return run(['ip', 'netns', 'exec', network.cpe.name, ...command], { timeoutSeconds: 30 })
  }

  async function droppedByBoth(): Promise<[number, number]> {
    return [await dropped(network.isp1), await dropped(network.isp2)]
  }

  it('the wrong source is dropped before, and --check names what ingress filtering would kill', async () => {
    const before = await droppedByBoth()
    expect(await ask(internal.client, isp1.server)).toBe('')
    expect(await ask(isp2.home, isp2.server)).toBe('')
    // Two datagrams of each, all sent to the first provider, whom neither source belongs to.
    expect(await droppedByBoth()).toEqual([before[0] + 4, before[1]])
    const { code, stdout } = await exits('--check', '--json')
    expect(code).toBe(1)
    const { applied, paths } = JSON.parse(stdout) as {
      applied: boolean
      paths: { kind: string; text: string }[]
    }
    expect(applied).toBe(false)
    expect(paths.filter(({ kind }) => kind === 'killed').map(({ text }) => text)).toContain(
      '203.0.113.30 to 192.0.2.129 leaves by wan1, and ingress filtering of isp1 would kill it: it belongs to isp2'
    )
  })

  it('forwards DOTS messages of an internal client by each provider with a source of that provider after --apply [RFC9284-5.2-M02]', async () => {
    const { code, stderr } = await exits('--apply')
    expect([code, stderr]).toEqual([0, ''])
    const before = await droppedByBoth()
    expect(await ask(internal.client, isp1.server)).toBe(`${isp1.server} saw ${isp1.gateway}`)
    expect(await ask(internal.client, isp2.server)).toBe(`${isp2.server} saw ${isp2.gateway}`)
    // An address of the other provider is no source there; one of its own stays what it is.
    expect(await ask(isp1.home, isp2.server)).toBe(`${isp2.server} saw ${isp2.gateway}`)
    expect(await ask(isp2.home, isp2.server)).toBe(`${isp2.server} saw ${isp2.home}`)
    expect(await ask(isp2.home, internetHost)).toBe(`${internetHost} saw ${isp2.home}`)
    expect(await droppedByBoth()).toEqual(before)
  })

  it('finds every path right then, and changes nothing when it is applied again', async () => {
    const check = await exits('--check')
    expect([check.code, check.stdout]).toEqual([0, expect.stringContaining('the rules of the plan stand')])
    const again = await exits('--apply', '--json')
    expect(JSON.parse(again.stdout)).toEqual({ added: [], removed: [], filter: 'unchanged' })
  })

  it('changes what the plan changes, and no rule, route or table of others', async () => {
    const { cpe } = network
    await cpe.ip([
      'rule add pref 4647 from 10.8.0.0/24 lookup main',
      'route add 10.8.0.0/24 dev lan table 99'
    ])
    await cpe.nft('table inet operator {\n chain keep {\n counter\n }\n}')
    writeFileSync(
      siteFile,
      site.replace(`prefixes: [${isp2.prefix}]`, `prefixes: [${isp2.prefix}, 203.0.113.64/28]`)
    )
    const { added, removed, filter } = JSON.parse((await exits('--apply', '--json')).stdout) as {
      added: string[]
      removed: string[]
      filter: string
    }
    expect([added, removed, filter]).toEqual([
      ['ip -4 rule add pref 4648 from 203.0.113.64/28 lookup 46462 protocol 146'],
      [],
      'replaced'
    ])
    expect((await exits('--remove')).code).toBe(0)
    const rules = await cpe.exec(['ip', 'rule'])
    expect(rules).toContain('from 10.8.0.0/24 lookup main')
    expect(rules).not.toContain('146')
    expect(await cpe.exec(['ip', 'route', 'show', 'table', '99'])).toContain('10.8.0.0/24')
    expect((await cpe.exec(['nft', 'list', 'tables'])).trim()).toBe('table inet operator')
  })

  it('leaves everything as it was when the kernel refuses a part', async () => {
    writeFileSync(siteFile, site)
    expect((await exits('--apply')).code).toBe(0)
    const { cpe } = network
    const state = async (): Promise<string[]> => [
      await cpe.exec(['ip', 'rule']),
      await cpe.exec(['ip', 'route', 'show', 'table', '46461']),
      await cpe.exec(['nft', '-s', 'list', 'table', 'inet', 'breakwater_exits'])
    ]
    const before = await state()
    // A gateway that is on no link of ours: refused after the first provider's new rule was taken.
    const broken = site
      .replace(`prefixes: [${isp1.prefix}]`, `prefixes: [${isp1.prefix}, 198.51.100.64/28]`)
      .replace(`gateways: [${isp1.edge}]`, 'gateways: [10.0.1.1]')
      .replace(`gateways: [${isp2.edge}]`, 'gateways: [172.16.9.9]')
    writeFileSync(siteFile, broken)
    const { code, stdout } = await exits('--apply', '--json')
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'EXITS_KERNEL_REFUSED' } })
    expect(await state()).toEqual(before)
  })
})
