import { spawn } from 'node:child_process'
import { join } from 'node:path'

import { beforeAll, describe, expect, it } from 'vitest'

import { obstacleToNamespaces } from './backends/netns/namespace.ts'
import type { TwoProvidersResult } from './scenarios/two-providers.ts'

const root = join(import.meta.dirname, '..')
const obstacle = await obstacleToNamespaces()
if (obstacle !== undefined) console.warn(`the demo in namespaces is skipped: ${obstacle}`)

/** Runs the demo as its npm script does; returns the object of its last line. */
async function demo(...args: readonly string[]): Promise<TwoProvidersResult> {
  const child = spawn(
    process.execPath,
    ['lab/main.ts', 'two-providers', '--demo', '--once', '--json', ...args],
    { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], timeout: 90_000, killSignal: 'SIGTERM' }
  )
  let output = ''
  let story = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (story += text))
  await new Promise((resolve) => child.on('close', resolve))
  const last = output.trim().split('\n').at(-1) ?? ''
  if (!last.startsWith('{')) throw new Error(`the demo did not end well:\n${story}\n${output}`)
  return JSON.parse(last) as TwoProvidersResult
}

describe.skipIf(obstacle !== undefined)('the demo in network namespaces', { timeout: 120_000 }, () => {
  let result: TwoProvidersResult
  let seconds: number

  beforeAll(async () => {
    const started = performance.now()
    result = await demo()
    seconds = (performance.now() - started) / 1000
  }, 120_000)

  it('ends by itself within 60 s', () => {
    expect(seconds).toBeLessThan(60)
    expect(result.backend).toBe('netns')
  })

  it('passes every check that it makes of itself', () => {
    expect(result.checks.filter(({ ok }) => !ok)).toEqual([])
    expect(result.checks.length).toBeGreaterThan(8)
  })

  it('asks provider 1 only, when the flood hits the address of provider 1 [RFC9284-5.1-M05]', () => {
    const [first] = result.protections
    expect(first?.state).toBe('protected')
    expect(first?.requests.map(({ domain }) => domain)).toEqual(['isp1'])
  })

  it('asks both providers, when the flood hits both addresses [RFC9284-5.1-M07]', () => {
    const second = result.protections[1]
    expect(second?.state).toBe('protected')
    expect(second?.requests.map(({ domain }) => domain).toSorted()).toEqual(['isp1', 'isp2'])
  })

  it('shows no server a target that is not its own', () => {
    expect(result.wrongServerRequests).toBe(0)
  })

  it('brings the legitimate traffic back', () => {
    const { before, during, after } = result.legitMbps
    expect(before).toBeGreaterThan(7)
    expect(during).toBeLessThan((before ?? 0) / 4)
    expect(after).toBeGreaterThan((before ?? 0) * 0.8)
  })
})

describe('the demo over loopback', { timeout: 60_000 }, () => {
  it('tells the same story with a mitigator that changes nothing', async () => {
    const result = await demo('--backend', 'loopback')
    expect(result.backend).toBe('loopback')
    expect(result.checks.filter(({ ok }) => !ok)).toEqual([])
    expect(result.wrongServerRequests).toBe(0)
    expect(result.protections.map(({ state }) => state)).toEqual(['protected', 'protected'])
  })
})
