import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'

/** How much slower than a quiet machine this one may be. */
const timescale = Number(process.env['TIMESCALE'] ?? '1')

/** Waits until `condition` holds; rejects, with what `explain` says, when it does not within `limitMs`. */
export async function eventually(
  what: string,
  condition: () => boolean,
  explain: () => string = () => '',
  limitMs = 10_000
): Promise<void> {
  const deadline = performance.now() + limitMs * timescale
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${limitMs} ms: ${what}\n${explain()}`)
    await pause(5)
  }
}

/** A foreign program that runs beside a test. */
export class Program {
  output = ''
  exitCode: number | null | undefined
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>

  constructor(command: string, ...args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream.on('data', (text: Buffer) => (this.output += text.toString('latin1')))
    this.#child.stdin.on('error', () => undefined)
    this.#child.on('error', (error) => {
      this.output += String(error)
      this.exitCode = null
    })
    this.#child.on('exit', (code) => (this.exitCode = code))
  }

  type(text: string): void {
    this.#child.stdin.write(text)
  }

  async says(pattern: RegExp): Promise<void> {
    await eventually(
      String(pattern),
      () => pattern.test(this.output),
      () => this.output
    )
  }

  async ends(): Promise<void> {
    await eventually(
      'the end of the program',
      () => this.exitCode !== undefined,
      () => this.output
    )
  }

  stop(): void {
    if (this.exitCode === undefined) this.#child.kill('SIGKILL')
  }
}
