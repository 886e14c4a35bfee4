import type { NameServer, NameServerTools } from './name-server.ts'

/**
 * A name server of whose way it is told what each question says.
 * @param patience Milliseconds without an answer after which it counts as silent, also where nobody waits for it any more.
 * @param closed Its resolver: what ends with that says nothing.
 */
export function judgedNameServer(
  server: NameServer,
  judge: NonNullable<NameServerTools['judge']>,
  patience: number,
  closed: AbortSignal
): NameServer {
  return {
    way: server.way,
    async ask(question, milliseconds, over) {
      const since = performance.now()
      try {
        const packet = await server.ask(question, milliseconds, over)
        judge(server.way, 'answered')
        return packet
      } catch (error) {
        const waited = performance.now() - since
        if (waited >= patience && !closed.aborted) judge(server.way, 'silent')
        throw error
      }
    },
    close: () => server.close()
  }
}
