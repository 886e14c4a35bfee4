import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

import type { Told } from './flooded-party.ts'
import type { Namespace } from './namespace.ts'

/** How long the processes may take to start, or to end. */
const PATIENCE_SECONDS = 20

/** A process of the story. */
export class FloodedProcess {
  readonly #child: ChildProcess
  readonly #script: string
  readonly #ended: Promise<void>
  readonly #said = new Map<Told['kind'], () => void>()
  #complaints = ''

  /** Starts it in a namespace; `take` gets all that it tells. */
  constructor(namespace: Namespace, script: string, plan: object, take: (told: Told) => void) {
    const command = [process.execPath, join(import.meta.dirname, script), JSON.stringify(plan)]
    const child = namespace.start(command, ['pipe', 'pipe', 'pipe'])
    this.#child = child
    this.#script = script
    if (child.stdout === null || child.stderr === null) throw new Error(`${script} has no pipes`)
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#complaints += text))
    this.#ended = new Promise((resolve) => child.once('close', () => resolve()))
    createInterface({ input: child.stdout }).on('line', (line) => {
      const told = JSON.parse(line) as Told
      take(told)
      this.#said.get(told.kind)?.()
    })
  }

  /** Waits until it has told this, which it tells once. */
  async until(kind: Told['kind']): Promise<void> {
    const said = new Promise<'said'>((resolve) => this.#said.set(kind, () => resolve('said')))
    const ended = this.#ended.then(() => 'ended' as const)
    const outcome = await Promise.race([said, ended, lateAfter(PATIENCE_SECONDS)])
    if (outcome !== 'said') throw new Error(`${this.#script} ${outcome}, not ${kind}: ${this.#complaints}`)
  }

  /** Lets it take its next step. */
  goOn(): void {
    this.#child.stdin?.write('go on\n')
  }

  /** Tells it that the story is over, and waits until it has said what it saw. */
  async hearThatItIsOver(): Promise<void> {
    const over = this.until('over')
    this.goOn()
    await over
  }

  /** Lets it close what it has open, and waits until it has ended. */
  async end(): Promise<void> {
    this.#child.stdin?.end()
    await Promise.race([this.#ended, lateAfter(PATIENCE_SECONDS)])
    if (this.#child.exitCode !== 0) throw new Error(`${this.#script} did not end well: ${this.#complaints}`)
  }
}

function lateAfter(seconds: number): Promise<'late'> {
  return new Promise((resolve) => setTimeout(() => resolve('late'), seconds * 1000).unref())
}
