import { UnavailableError } from '@breakwater/core'
import type { Packet } from 'dns-packet'
import type { NameServer } from './name-server.ts'
import { responseCodeOf } from './question.ts'
import type { DnsQuestion } from './question.ts'

/** Response codes that say something of a name (RFC 1035 §4.1.1). */
const NO_ERROR = 0
const NAME_ERROR = 3

/** Tries that are listened to at the same time: an answer may be late, and sockets are few. */
const MOST_OPEN_TRIES = 2

export interface TurnRule {
  /** Until the next server is asked beside the one before. */
  readonly pauseMilliseconds: number
  /** Until a question has failed. */
  readonly limitMilliseconds: number
  /** How often each is asked at most. */
  readonly rounds: number
}

/**
 * Asks the first server, and the next where it says nothing for a pause or fails, and all of them again in further rounds. The
 * first answer counts, and nobody waits for the rest. Rejects with UnavailableError.
 */
export function askInTurn(
  servers: readonly NameServer[],
  question: DnsQuestion,
  rule: TurnRule,
  over: AbortSignal
): Promise<Packet> {
  const end = performance.now() + rule.limitMilliseconds
  const tries: AbortController[] = []
  const settled = new AbortController()
  let failure: unknown = new Error('no answer in time')
  return new Promise<Packet>((resolve, reject) => {
    const tryOnce = async (server: NameServer): Promise<void> => {
      const own = new AbortController()
      tries.push(own)
      tries.at(-1 - MOST_OPEN_TRIES)?.abort()
      try {
        const left = Math.max(1, end - performance.now())
        resolve(useful(question, await server.ask(question, left, own.signal)))
        settled.abort()
      } catch (error) {
        if (!own.signal.aborted) failure = error
      }
    }
    const giveUp = (): void => reject(unavailable(question, failure))
    const timer = setTimeout(giveUp, rule.limitMilliseconds)
    over.addEventListener('abort', giveUp)
    settled.signal.addEventListener('abort', () => {
      clearTimeout(timer)
      over.removeEventListener('abort', giveUp)
      for (const each of tries) each.abort()
    })
    if (over.aborted) giveUp()
    else void inRounds(servers, rule, settled.signal, tryOnce).then(giveUp)
  }).finally(() => settled.abort())
}

/** Ends when there is an answer, or all tries have ended. */
async function inRounds(
  servers: readonly NameServer[],
  { pauseMilliseconds, rounds }: TurnRule,
  settled: AbortSignal,
  tryOnce: (server: NameServer) => Promise<void>
): Promise<void> {
  const all: Promise<void>[] = []
  for (let round = 0; round < rounds; round++) {
    const roundOver = pause(pauseMilliseconds, settled)
    for (const server of servers) {
      if (settled.aborted) return
      const attempt = tryOnce(server)
      all.push(attempt)
      await Promise.race([attempt, pause(pauseMilliseconds, settled)])
    }
    // Servers that refuse at once are not to be asked in a tight loop.
    if (round < rounds - 1) await roundOver
  }
  await Promise.all(all)
}

/** Ends earlier when the signal is aborted. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    signal.addEventListener('abort', end)
    if (signal.aborted) end()
  })
}

/** A server that failed or refused has not said anything of the name. */
function useful({ name }: DnsQuestion, packet: Packet): Packet {
  const code = responseCodeOf(packet)
  if (code === NO_ERROR || code === NAME_ERROR) return packet
  throw new UnavailableError('DNS_FAILED', `${name}: the name server answered with code ${code}`, true)
}

function unavailable({ name }: DnsQuestion, cause: unknown): UnavailableError {
  if (cause instanceof UnavailableError) return cause
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new UnavailableError('DNS_FAILED', `${name}: ${reason}`, true, { cause })
}
