import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { socketTransport } from '@breakwater/cli'
import { ControlClient } from '@breakwater/control'
import { pinned } from '../dtls-echo.ts'

const launcher = join(import.meta.dirname, '../../packages/cli/bin/dots.mjs')

/** A `dots server` or `dots client` of this checkout, in a process of its own. */
export interface DotsAgent {
  readonly process: ChildProcess
  readonly control: ControlClient
  /** UDP port that it listens on; empty for a client. */
  readonly port: string
  stop(): Promise<void>
}

export interface DotsAgentOptions {
  readonly role: 'server' | 'client'
  /** Holds its configuration, log, socket and store. */
  readonly folder: string
  /** What `folder/ROLE.yaml` is to say, `control` and `log` aside. */
  readonly config: object
  /** Stay on this core. */
  readonly core?: number
  /** What differs from the environment of this process. */
  readonly environment?: Readonly<Record<string, string>>
}

/** Starts an agent as an operator would, logging to a file, and waits until it says that it is ready. */
export async function startDotsAgent(options: DotsAgentOptions): Promise<DotsAgent> {
  const { role, folder, core, config, environment } = options
  const file = (name: string): string => join(folder, `${role}.${name}`)
  // JSON is YAML, too.
  writeFileSync(file('yaml'), JSON.stringify({ ...config, control: { socket: file('sock') } }), {
    mode: 0o600
  })
  const args = [...(role === 'server' ? serverNodeOptions() : []), launcher, role, '--config', file('yaml')]
  const [command, all] = core === undefined ? [process.execPath, args] : pinned(core, args)
  const log = openSync(file('log'), 'w', 0o600)
  const child = spawn(command, all, {
    stdio: ['ignore', 'pipe', log],
    env: { ...process.env, ...environment }
  })
  closeSync(log)
  const line = await firstLine(child, () => readFileSync(file('log'), 'utf8').slice(-2000))
  const ready = JSON.parse(line) as { listen?: readonly string[] }
  return {
    process: child,
    control: new ControlClient(socketTransport(file('sock'))),
    port: ready.listen?.[0]?.split(':').at(-1) ?? '',
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    }
  }
}

/** For who wants to see where a server spends its time: `BENCH_NODE_OPTIONS=--cpu-prof`. */
function serverNodeOptions(): readonly string[] {
  return (process.env['BENCH_NODE_OPTIONS'] ?? '').split(' ').filter((option) => option !== '')
}

async function firstLine(child: ChildProcess, log: () => string): Promise<string> {
  if (child.stdout === null) throw new Error('an agent without standard output')
  const ended = once(child, 'exit').then(() => {
    throw new Error(`the agent ended before it was ready:\n${log()}`)
  })
  const [line] = (await Promise.race([once(child.stdout, 'data'), ended])) as [Buffer]
  ended.catch(() => undefined)
  return line.toString()
}
