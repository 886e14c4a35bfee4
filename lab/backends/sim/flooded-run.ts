import { Milliseconds, Seconds, after, fraction, inSeconds, silentLog } from '@breakwater/core'
import type { Duration, Instant, OpenSecureEndpoint } from '@breakwater/core'
import { hostDotsClient, hostDotsServer } from '@breakwater/dots'
import type { ClientHost, ServerEvent, ServerHost } from '@breakwater/dots'
import { dryRunMitigator } from '@breakwater/mitigators'
import { memoryStore } from '@breakwater/store'
import {
  SimulatedNetwork,
  VirtualClock,
  auditedEndpoints,
  derivedSeed,
  seededEntropy,
  simulatedCertificate
} from '@breakwater/testing'
import type { AuditedDatagram, SimulatedHost } from '@breakwater/testing'

import {
  type Place,
  addressOf,
  clientDomainOf,
  cuidOfCustomer,
  customerName,
  domainName,
  isEntitled,
  protectionOf,
  serverName,
  serverPort,
  siteOfCustomer
} from '../../agents/flooded-link-agents.ts'
import type { Act, RunOutcome, SessionEnding } from '../../scenarios/flooded-link-world.ts'

const dualStack = {
  sources: ['2001:db8:1::2', '198.51.100.2'],
  servers: ['2001:db8:2::1', '192.0.2.1']
}
const everyWay: Place = { ...dualStack, transports: ['udp', 'tcp'] }
const oneWay: Place = { sources: ['198.51.100.2'], servers: ['192.0.2.1'], transports: ['udp'] }

/** In one world there is one customer. */
const CUSTOMER = 0

/** Peace before the flood: heartbeats go both ways, and one of them may be under way when it begins. */
const SHORTEST_PEACE: Duration = Seconds(60)
const LONGEST_PEACE: Duration = Seconds(120)

/** The flood is noticed so late, at most. */
const LATEST_ALARM: Duration = Seconds(10)

/** Where all runs report to. */
export interface RunObserver {
  readonly take: (datagram: AuditedDatagram) => void
  readonly onWrongRequest: () => void
}

/** One customer, one server and the link between them, in virtual time. */
export class FloodedRun {
  readonly #act: Act
  readonly #seed: number
  readonly #observer: RunObserver
  readonly #clock = new VirtualClock({ microtaskTurns: 24 })
  readonly #home: SimulatedHost
  readonly #isp: SimulatedHost
  #askedAt: Instant | undefined
  #acceptedAt: Instant | undefined
  #knownAt: Instant | undefined
  #isFlooded = false
  #floodedAt: Instant | undefined
  readonly #sessionEnds: SessionEnding[] = []

  constructor(act: Act, seed: number, observer: RunObserver) {
    this.#act = act
    this.#seed = seed
    this.#observer = observer
    const network = new SimulatedNetwork({
      clock: this.#clock,
      seed: derivedSeed(seed, 'network'),
      resumesSessions: act.newSession?.isResumed ?? false
    })
    this.#isp = network.addHost('isp', {
      interfaces: [{ name: 'eth0', addresses: dualStack.servers.map(addressOf) }]
    })
    this.#home = network.addHost('home', {
      interfaces: [
        {
          name: 'wan',
          addresses: dualStack.sources.map(addressOf),
          conditions: { latency: Milliseconds(10) }
        }
      ]
    })
  }

  async play(): Promise<RunOutcome> {
    const server = await this.#startServer()
    const client = this.#act.newSession === undefined ? await this.#peace() : this.#restart()
    this.#askedAt = this.#clock.now()
    client.protect(protectionOf(CUSTOMER))
    const isOver = (): boolean => this.#knownAt !== undefined || this.#isAllThatCounts()
    await this.#clock.runUntil(isOver, Seconds(this.#act.watchSeconds))
    const outcome = {
      acceptedAfterSeconds: this.#since(this.#acceptedAt),
      knownAfterSeconds: this.#since(this.#knownAt),
      sessionEnds: this.#sessionEnds
    }
    await this.#end(client, server)
    return outcome
  }

  /** A session stands and heartbeats go to and fro, until the flood comes and is noticed. */
  async #peace(): Promise<ClientHost> {
    const client = this.#startClient()
    const isUp = (): boolean => client.status().sessions[0]?.state === 'established'
    if (!(await this.#clock.runUntil(isUp, Seconds(10)))) throw new Error('no session in peace')
    const chance = seededEntropy(derivedSeed(this.#seed, 'story'))
    const peace = SHORTEST_PEACE + (LONGEST_PEACE - SHORTEST_PEACE) * fraction(chance)
    await this.#clock.advance(Milliseconds(peace))
    this.#flood(true)
    await this.#clock.advance(Milliseconds(LATEST_ALARM * fraction(chance)))
    return client
  }

  /** The client starts in the middle of the flood. */
  #restart(): ClientHost {
    this.#flood(true)
    return this.#startClient()
  }

  /** Of a new session, when the server accepts. */
  #isAllThatCounts(): boolean {
    return this.#act.newSession !== undefined && this.#acceptedAt !== undefined
  }

  #since(moment: Instant | undefined): number | undefined {
    const asked = this.#askedAt
    return moment === undefined || asked === undefined ? undefined : inSeconds(Milliseconds(moment - asked))
  }

  #flood(isOn: boolean): void {
    this.#isFlooded = isOn
    if (isOn) this.#floodedAt = this.#clock.now()
    const { lossTowardsClient, lossTowardsServer } = this.#act.flood
    const link = this.#home.link('wan')
    link.down.change({ loss: isOn ? lossTowardsClient : 0 })
    link.up.change({ loss: isOn ? lossTowardsServer : 0 })
  }

  #startServer(): Promise<ServerHost> {
    return hostDotsServer({
      clock: this.#clock,
      entropy: seededEntropy(derivedSeed(this.#seed, 'server')),
      open: this.#audited('server', this.#isp),
      openStream: this.#isp.openSecureStream,
      listen: dualStack.servers.flatMap((server) =>
        (['udp', 'tcp'] as const).map((transport) => ({
          transport,
          local: { address: addressOf(server), port: serverPort },
          certificate: credentialsOf(serverName)
        }))
      ),
      store: memoryStore(),
      mitigator: dryRunMitigator(silentLog),
      domains: [clientDomainOf(CUSTOMER)],
      log: silentLog,
      onEvent: (event) => this.#serverEvent(event)
    })
  }

  /** What stood before the flood must not end in it; attempts at a new session may. */
  #noteLoss(side: SessionEnding['side'], reason: string): void {
    if (!this.#isFlooded || this.#act.newSession !== undefined || this.#floodedAt === undefined) return
    const afterSeconds = inSeconds(Milliseconds(this.#clock.now() - this.#floodedAt))
    this.#sessionEnds.push({ side, reason, afterSeconds })
  }

  #audited(role: 'client' | 'server', host: SimulatedHost): SimulatedHost['openSecureEndpoint'] {
    const { take } = this.#observer
    const retransmission = this.#act.newSession?.retransmissionMilliseconds
    // The client's follows the attack, as its operator would have it.
    const open: OpenSecureEndpoint =
      role === 'client' || retransmission === undefined
        ? host.openSecureEndpoint
        : (options, handlers) =>
            host.openSecureEndpoint(
              { ...options, handshakeRetransmission: Milliseconds(retransmission) },
              handlers
            )
    return auditedEndpoints(open, {
      clock: this.#clock,
      role,
      pairOf: () => String(this.#seed),
      take
    })
  }

  #haste(): { readonly attackHandshakeRetransmission?: Duration } {
    const milliseconds = this.#act.newSession?.retransmissionMilliseconds
    return milliseconds === undefined ? {} : { attackHandshakeRetransmission: Milliseconds(milliseconds) }
  }

  #serverEvent(event: ServerEvent): void {
    if (event.kind === 'session-closed') this.#noteLoss('server', event.reason)
    if (event.kind !== 'request') return
    if (!isEntitled(CUSTOMER, event.targets)) this.#observer.onWrongRequest()
    if (event.outcome !== 'created' || this.#acceptedAt !== undefined) return
    this.#acceptedAt = this.#clock.now()
    const { endsSecondsAfterAcceptance: seconds } = this.#act.flood
    if (seconds !== undefined)
      this.#clock.schedule(after(this.#acceptedAt, Seconds(seconds)), () => this.#flood(false))
  }

  #startClient(): ClientHost {
    return hostDotsClient({
      clock: this.#clock,
      entropy: seededEntropy(derivedSeed(this.#seed, 'client')),
      open: this.#audited('client', this.#home),
      ...this.#haste(),
      openStream: this.#home.openSecureStream,
      site: siteOfCustomer(CUSTOMER, this.#act.newSession?.candidates === 'all' ? everyWay : oneWay),
      credentials: new Map([[domainName, credentialsOf(customerName(CUSTOMER))]]),
      cuids: new Map([[domainName, cuidOfCustomer(CUSTOMER)]]),
      log: silentLog,
      onEvent: (event) => {
        if (event.kind === 'protection' && event.status.state === 'protected')
          this.#knownAt ??= this.#clock.now()
        if (event.kind === 'session' && !isAlive(event.session.state))
          this.#noteLoss('client', `${event.session.state} ${event.session.text}`)
      }
    })
  }

  async #end(client: ClientHost, server: ServerHost): Promise<void> {
    this.#isFlooded = false
    await client.close()
    await server.stop()
  }
}

/** RFC 9132 §4.7: a session without answers is kept while the attack lasts. */
function isAlive(state: string): boolean {
  return state === 'established' || state === 'silent'
}

function credentialsOf(name: string): ReturnType<typeof simulatedCertificate> {
  return simulatedCertificate({ authority: 'isp', subject: name, dnsNames: [name] })
}
