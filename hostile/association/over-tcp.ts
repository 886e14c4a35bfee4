import { Milliseconds, Seconds, between, formatIpAddress } from '@breakwater/core'
import { frame, frameLines } from '@breakwater/testing'
import { expect } from 'vitest'
import { ScriptedServer, want } from '../../packages/dots/test/client/scripted-server.ts'
import { target } from '../../packages/dots/test/multihoming/sites.ts'
import type { Attack } from '../attack.ts'

/** RFC 9132 §4.7: not sooner after the last handshake; RFC 8323 §5.5: not later, whatever a server would like. */
const SOONEST = Seconds(60)
const LATEST = Seconds(300)

/** A server that the client reaches over TCP alone, and that ends each session in its own way as soon as it stands. */
class Abuser extends ScriptedServer {
  constructor() {
    super({}, undefined, false, 'tcp')
    this.feed({ kind: 'start' })
    this.pass(Milliseconds(20))
    this.want(want('web', target('198.51.100.7/32')))
  }

  /** The frames that the client has sent on the connection that it asked for last. */
  get said(): string[] {
    const { connection } = this
    return this.outputs.flatMap((output) =>
      output.kind === 'send' && output.connection === connection ? frameLines(output.bytes) : []
    )
  }

  /** Where handshakes went. */
  get destinations(): ReadonlySet<string> {
    return new Set(
      this.outputs.flatMap((output) =>
        output.kind === 'connect'
          ? [`${output.serverName} ${formatIpAddress(output.path.remote.address)}`]
          : []
      )
    )
  }

  abuse(bytes: Uint8Array): void {
    const { connection } = this
    this.feed({ kind: 'established', connection })
    // What comes is cut where the network likes.
    for (let at = 0; at < bytes.length; at += 7)
      this.feed({ kind: 'datagram', connection, bytes: bytes.subarray(at, at + 7) })
    if (this.#isClosed()) return
    // RFC 8323 §5.5: the server of a Release may be the one that closes.
    this.feed({ kind: 'closed', connection, reason: 'close-notify' })
  }

  #isClosed(): boolean {
    const { connection } = this
    return this.outputs.some((output) => output.kind === 'close' && output.connection === connection)
  }

  /** Until the client comes again. */
  awaitReturn(): void {
    const left = this.connection
    for (let second = 0; second < 3600 && this.connection === left; second++) this.pass(Seconds(1))
  }
}

function abuse(
  name: string,
  after: string,
  source: string,
  answer: string,
  said: readonly (string | Uint8Array)[]
): Attack<unknown> {
  const bytes = Buffer.concat(said.map((part) => (typeof part === 'string' ? frame(part) : part)))
  const run = (): void => {
    const server = new Abuser()
    const home = server.destinations
    for (let round = 0; round < 5; round++) {
      const met = server.now
      server.abuse(bytes)
      expect(server.said.filter((line) => line.startsWith('PUT ')).length).toBeLessThanOrEqual(1)
      server.awaitReturn()
      const pause = between(met, server.now)
      expect(pause).toBeGreaterThanOrEqual(SOONEST - 20)
      expect(pause).toBeLessThanOrEqual(LATEST + 1000)
    }
    expect(server.destinations).toEqual(home)
    // An honest server at last: what is wanted is asked for at once.
    server.feed({ kind: 'established', connection: server.connection })
    server.feed({ kind: 'datagram', connection: server.connection, bytes: frame('CSM') })
    server.pass(Seconds(1))
    expect(server.said.filter((line) => line.startsWith('PUT '))).toHaveLength(1)
  }
  return { name, who: 'server', after, source, answer, trace: { none: 'the client goes on' }, run }
}

const storm = 'a storm of handshakes, or a client that is gone when the attack comes'
const later = 'the client comes again after 60 s'

/** Servers that abuse CoAP over TCP. */
export const abuseOverTcp: readonly Attack<unknown>[] = [
  abuse('Release with a hold-off of half a year', storm, 'RFC 8323 §5.5', 'the client stays away for 300 s', [
    'CSM',
    'RELEASE #4=ffffff'
  ]),
  abuse(
    'Release to somewhere else',
    'sessions with whomever the server names',
    'RFC 8323 §5.5; RFC 9132 §4.6',
    later,
    ['CSM', 'RELEASE #2=3132372e302e302e313a3232 #2=ff #4=00']
  ),
  abuse('Abort with garbage at the client', storm, 'RFC 8323 §5.6', later, [
    'CSM',
    'ABORT #2=ffffff #100=00 <300>'
  ]),
  abuse('CSM that asks for what nobody knows', storm, 'RFC 8323 §5.3', `Abort; ${later}`, ['CSM #1=']),
  abuse('server that takes no message', storm, 'RFC 8323 §5.3.1', `Abort; ${later}`, ['CSM #2=']),
  abuse('answer before the CSM', storm, 'RFC 8323 §3.3', `Abort; ${later}`, ['2.05 (aa) <10>']),
  abuse('frame of 4 GB at the client', 'memory of the client', 'RFC 8323 §3.2', `Abort; ${later}`, [
    'CSM',
    Uint8Array.of(0xf0, 0xff, 0xff, 0xff, 0xff, 0x45)
  ]),
  abuse('Ping flood at the client', 'the time of the client', 'RFC 8323 §5.4', `Abort; ${later}`, [
    'CSM',
    ...Array.from({ length: 1200 }, () => 'PING (aa)')
  ])
]
