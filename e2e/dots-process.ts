import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const launcher = fileURLToPath(new URL('../packages/cli/bin/dots.mjs', import.meta.url))

/** Slower machines get more time: TIMESCALE=3 npm test. */
const timescale = Number(process.env['TIMESCALE'] ?? '1')

/** What a finished `dots` said. */
export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** What an agent said once it could be used. */
export interface Ready {
  readonly pid: number
  readonly socket: string
  readonly listen: readonly string[]
}

/** One `dots` process. */
export class DotsProcess {
  readonly #child: ChildProcess
  readonly #finished: Promise<Finished>
  #stdout = ''
  #stderr = ''

  /** @param prefix What stands before the command, for it to run somewhere else; it must become the command (exec). */
  constructor(
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
    prefix: readonly string[] = []
  ) {
    const [program, ...before] = prefix
    const own = program === undefined ? [launcher] : [...before, process.execPath, launcher]
    this.#child = spawn(program ?? process.execPath, [...own, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment }
    })
    this.#child.stdout?.on('data', (chunk: Buffer) => (this.#stdout += chunk.toString()))
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()))
    this.#finished = new Promise((resolve) => {
      this.#child.on('close', (code) => resolve({ code, stdout: this.#stdout, stderr: this.#stderr }))
    })
  }

  /** What it logged so far. */
  get log(): string {
    return this.#stderr
  }

  /** The line of readiness. Rejects with the log when the process ends before. */
  async ready(): Promise<Ready> {
    const line = await until(
      () => (this.#stdout.includes('\n') ? this.#stdout.split('\n')[0] : undefined),
      () => `no line of readiness; the log says:\n${this.#stderr}`,
      this.#finished
    )
    return JSON.parse(line) as Ready
  }

  finished(): Promise<Finished> {
    return this.#finished
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Finished> {
    this.#child.kill(signal)
    return this.#finished
  }
}

/** Runs one command to its end. */
export function dots(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {}
): Promise<Finished> {
  return new DotsProcess(args, environment).finished()
}

/** Waits for a condition with a deadline of 30 seconds. `ended`: no need to wait any longer. */
export async function until<Value>(
  look: () => Value | undefined | Promise<Value | undefined>,
  describe: () => string,
  ended?: Promise<unknown>
): Promise<Value> {
  const deadline = performance.now() + 30_000 * timescale
  let isOver = false
  void ended?.then(() => (isOver = true))
  while (performance.now() < deadline) {
    const wasOver = isOver
    const value = await look()
    if (value !== undefined) return value
    if (wasOver) break
    await new Promise((resolve) => {
      setTimeout(resolve, 20)
    })
  }
  throw new Error(describe())
}
