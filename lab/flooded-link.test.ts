import { spawn } from 'node:child_process'
import { join } from 'node:path'

import { beforeAll, describe, expect, it } from 'vitest'

import { obstacleToNamespaces } from './backends/netns/namespace.ts'
import type { ScenarioResult } from './scenario.ts'

const root = join(import.meta.dirname, '..')
const obstacle = await obstacleToNamespaces()
if (obstacle !== undefined) console.warn(`the flooded link in namespaces is skipped: ${obstacle}`)

/** What the scenario came to, and what it told people. */
interface Played extends ScenarioResult {
  readonly story: string
}

/** Runs the scenario as its npm script does; returns the object of its last line. */
async function floodedLink(...args: readonly string[]): Promise<Played> {
  const child = spawn(process.execPath, ['lab/main.ts', 'flooded-link', '--json', ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 90_000,
    killSignal: 'SIGTERM'
  })
  let output = ''
  let story = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (story += text))
  await new Promise((resolve) => child.on('close', resolve))
  const last = output.trim().split('\n').at(-1) ?? ''
  if (!last.startsWith('{')) throw new Error(`the scenario did not end well:\n${story}\n${output}`)
  return { ...(JSON.parse(last) as ScenarioResult), story }
}

/** The exit code of `npm run lab` with these arguments. */
function lab(...args: readonly string[]): Promise<unknown> {
  return new Promise((resolve) => {
    spawn(process.execPath, ['lab/main.ts', ...args], { cwd: root, stdio: 'ignore' }).on('close', resolve)
  })
}

function failed({ checks }: Played): readonly string[] {
  return checks.filter(({ ok }) => !ok).map(({ name }) => name)
}

describe('the flooded link on the simulated network', { timeout: 120_000 }, () => {
  let result: Played

  beforeAll(async () => {
    result = await floodedLink('--backend', 'sim', '--runs', '120')
  }, 120_000)

  it('passes every check that it makes of itself', () => {
    expect(result.backend).toBe('sim')
    expect(result.checks.length).toBeGreaterThanOrEqual(8)
    expect(failed(result), result.story).toEqual([])
  })

  it('shows no server a target that is not its own', () => {
    expect(result.wrongServerRequests).toBe(0)
  })

  it('comes to the same figures with the same seed', async () => {
    const [one, other] = [
      await floodedLink('--backend', 'sim', '--runs', '10', '--seed', '7'),
      await floodedLink('--backend', 'sim', '--runs', '10', '--seed', '7')
    ]
    expect(one.figures).toEqual(other.figures)
  })
})

describe.skipIf(obstacle !== undefined)(
  'the flooded link in network namespaces',
  { timeout: 120_000 },
  () => {
    it('passes every check that it makes of itself, within a minute', async () => {
      const started = performance.now()
      const played = await floodedLink('--backend', 'netns', '--runs', '60')
      const { backend, checks, wrongServerRequests } = played
      expect(performance.now() - started).toBeLessThan(60_000)
      expect(backend).toBe('netns')
      expect(checks.length).toBeGreaterThanOrEqual(7)
      expect(failed(played), played.story).toEqual([])
      expect(wrongServerRequests).toBe(0)
    })
  }
)

describe('the lab', () => {
  it('refuses a scenario and a backend that it does not have', async () => {
    expect(await lab('no-such-scenario')).toBe(2)
    expect(await lab('flooded-link', '--backend', 'loopback')).toBe(1)
    expect(await lab('--list')).toBe(0)
  })
})
