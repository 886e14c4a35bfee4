import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'

let child: ChildProcess | undefined
afterEach(() => child?.kill('SIGKILL'))

interface Run {
  readonly out: () => string
  readonly events: () => string[]
  readonly ended: Promise<number | null>
}

function run(behaviour: string): Run {
  const started = spawn(process.execPath, [join(import.meta.dirname, 'agent-under-test.ts'), behaviour])
  child = started
  let [out, err] = ['', '']
  started.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  started.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
  const ended = new Promise<number | null>((resolve) => {
    started.on('close', resolve)
  })
  const events = (): string[] =>
    err
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { event: string }).event)
  return { out: () => out, events, ended }
}

async function untilSaid(agent: Run, text: string): Promise<void> {
  await expect.poll(() => agent.out(), { timeout: 20_000 }).toContain(text)
}

describe('the life of an agent', () => {
  it('says on one line that it is ready; SIGTERM closes everything, the newest first', async () => {
    const agent = run('good')
    await untilSaid(agent, '\n')
    child?.kill('SIGTERM')
    expect(await agent.ended).toBe(0)
    const [ready = '', ...rest] = agent.out().trimEnd().split('\n')
    expect(JSON.parse(ready)).toEqual({
      ready: true,
      pid: child?.pid,
      role: 'server',
      socket: '/tmp/x',
      listen: ['127.0.0.1:4646']
    })
    expect(rest).toEqual(['closed second', 'closed first'])
    // What could not be closed is told, and keeps nothing else from closing.
    expect(agent.events()).toEqual([
      'agent.starting',
      'agent.ready',
      'agent.stopping',
      'agent.cleanup_failed',
      'agent.stopped'
    ])
  })

  it('closes what was opened when it cannot start, and says why', async () => {
    const agent = run('fail')
    expect(await agent.ended).toBe(1)
    expect(agent.out().trimEnd().split('\n')).toEqual([
      'closed second',
      'closed first',
      'failed: no such luck'
    ])
  })

  it('goes on after a mistake of ours, and logs it with its trace', async () => {
    const agent = run('mistake')
    await untilSaid(agent, 'mistake')
    await expect.poll(() => agent.events()).toContain('agent.uncaught')
    child?.kill('SIGINT')
    expect(await agent.ended).toBe(0)
  })

  it('gives up when mistakes come in a storm', async () => {
    const agent = run('storm')
    expect(await agent.ended).toBe(1)
    expect(agent.events().filter((event) => event === 'agent.uncaught').length).toBeGreaterThan(50)
  })

  it('ends at once at the second signal, when closing hangs', async () => {
    const agent = run('hang')
    await untilSaid(agent, '\n')
    child?.kill('SIGTERM')
    await untilSaid(agent, 'closed second')
    child?.kill('SIGTERM')
    expect(await agent.ended).toBe(143)
  })
})
