import { setTimeout as pause } from 'node:timers/promises'

/** How much slower than a quiet machine this one may be. */
const timescale = Number(process.env['TIMESCALE'] ?? '1')

/** Waits until `condition` holds; rejects when it does not within `limitMs`. */
export async function eventually(what: string, condition: () => boolean, limitMs = 10_000): Promise<void> {
  const deadline = performance.now() + limitMs * timescale
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${limitMs} ms: ${what}`)
    await pause(2)
  }
}
