import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/** Work that goes on until it is stopped, and counts what it has done. */
export interface Work {
  start(): void
  stop(): void
  count(): number
}

/** Takes a sample whenever the parent process says for how long, and answers with it. */
export function serveSamples(sample: (milliseconds: number) => Promise<number>): void {
  process.on('message', (milliseconds: number) => {
    void sample(milliseconds).then((figure) => process.send?.(figure))
  })
  process.on('disconnect', () => process.exit(0))
  process.send?.('ready')
}

/** The same with `work`, whose rate per second is the sample. */
export function serveRates(work: Work): void {
  serveSamples((milliseconds) => rateOf(work, milliseconds))
}

async function rateOf(work: Work, milliseconds: number): Promise<number> {
  work.start()
  const [start, before] = [performance.now(), work.count()]
  await pause(milliseconds)
  const rate = ((work.count() - before) / (performance.now() - start)) * 1000
  work.stop()
  return rate
}

/** The parent's end of such a process. */
export interface Sampler {
  /** What it found over so long: of `serveRates`, a rate per second. */
  sample(milliseconds: number): Promise<number>
  end(): void
}

/** Starts a script of this folder that serves samples. */
export async function startSampler(script: string, args: readonly string[]): Promise<Sampler> {
  const child = fork(join(import.meta.dirname, script), args, { stdio: ['ignore', 2, 2, 'ipc'] })
  const died = once(child, 'exit').then(([code]) => {
    throw new Error(`${script} ended with code ${String(code)}`)
  })
  died.catch(() => undefined)
  await Promise.race([once(child, 'message'), died])
  return {
    sample: async (milliseconds) => {
      const answer = once(child, 'message')
      child.send(milliseconds)
      const [figure] = (await Promise.race([answer, died])) as [number]
      return figure
    },
    end: () => void child.kill('SIGKILL')
  }
}
