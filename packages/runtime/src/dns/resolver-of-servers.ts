import type { Duration } from '@breakwater/core'
import type { Resolver } from '@breakwater/dots'
import { answerOfPackets } from './answer-of-packets.ts'
import { askInTurn } from './ask-in-turn.ts'
import { judgedNameServer } from './judged-name-server.ts'
import { failed } from './name-server.ts'
import type { NameServer, NameServerTools } from './name-server.ts'

/** Names that are asked for at the same time: each may hold a few sockets. */
const MOST_NAMES = 128

export interface ResolverRule {
  /** For logs and status. */
  readonly name: string
  /** Until a question has failed, all servers and tries together. */
  readonly timeLimit: Duration
  /** How often each server is asked at most. */
  readonly rounds: number
  readonly longestPause: Duration
}

/** A resolver over name servers in order of preference: asks for the addresses of both families at the same time. */
export function resolverOfServers(
  asked: readonly NameServer[],
  { name: kind, timeLimit, rounds, longestPause }: ResolverRule,
  { observe, judge }: NameServerTools
): Resolver {
  const closed = new AbortController()
  const pauseMilliseconds = Math.min(longestPause, timeLimit / Math.max(1, asked.length))
  const servers =
    judge === undefined
      ? asked
      : asked.map((each) => judgedNameServer(each, judge, pauseMilliseconds, closed.signal))
  const rule = { pauseMilliseconds, limitMilliseconds: timeLimit, rounds }
  let open = 0
  return {
    name: kind,
    async resolve(name) {
      if (servers.length === 0) throw failed(kind, `nobody can be asked for ${name}`)
      if (open >= MOST_NAMES) throw failed(kind, `${MOST_NAMES} names are being asked for; not ${name}, too`)
      open++
      try {
        const packets = await Promise.all(
          (['A', 'AAAA'] as const).map((type) => askInTurn(servers, { name, type }, rule, closed.signal))
        )
        const answer = answerOfPackets(name, packets)
        observe?.('answered')
        return answer
      } catch (error) {
        observe?.('unanswered')
        throw error
      } finally {
        open--
      }
    },
    close() {
      closed.abort()
      for (const server of servers) server.close()
      return Promise.resolve()
    }
  }
}
