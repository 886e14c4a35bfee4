import { BreakwaterError, Driver, UnavailableError } from '@breakwater/core'
import type { Clock, Counters, Entropy, Log, Timer } from '@breakwater/core'
import type { AcceptLists } from '../domain/accept-list.ts'
import type { Mitigator } from '../domain/mitigator.ts'
import type { RecordStore } from '../domain/record-store.ts'
import type { SharedRecordStore } from '../domain/shared-record-store.ts'
import type { Resolver } from '../domain/resolver.ts'
import type { ClientDomain } from './requests/authorization.ts'
import type { ServerEvent } from './event.ts'
import { logEvent } from './event-log.ts'
import { Listeners } from './listeners.ts'
import type { EndpointStats, ListenOptions, ListeningAddress, ListeningPorts } from './listeners.ts'
import { MITIGATION_COLLECTION } from './message.ts'
import type { Failure, ServerInput, ServerOutput } from './message.ts'
import type { ServerPolicy } from './policy.ts'
import type { Redirection } from './redirection.ts'
import { DotsServerMachine } from './server.ts'
import type { SessionSnapshot } from './sessions/session-snapshot.ts'
import type { MitigationSnapshot } from './mitigations/snapshot.ts'

/** What a server needs of the world. */
export interface ServerPorts extends ListeningPorts {
  readonly clock: Clock
  readonly entropy: Entropy
  /** One secure endpoint is opened for each. */
  readonly listen: readonly ListenOptions[]
  readonly store: RecordStore
  /** The store, where other servers of the provider share it (RFC 9284 §5.4). */
  readonly sharing?: SharedRecordStore
  readonly mitigator: Mitigator
  /** What names in requests mean; without one, requests with names are told to come again. */
  readonly resolver?: Resolver
  /** Which accept-lists of clients are in conflict with their mitigations; asked whenever counters are read. */
  readonly acceptLists?: AcceptLists
  /** Who may ask, and for what. */
  readonly domains: readonly ClientDomain[]
  readonly policy?: Partial<ServerPolicy>
  readonly log: Log
  /** Told everything that happens: the audit trail. Must not throw. */
  readonly onEvent?: (event: ServerEvent) => void
  readonly counters?: Counters
}

/** A server that runs. */
export interface ServerHost {
  /** Bound addresses, in the order of `listen`, with real ports. */
  readonly addresses: readonly ListeningAddress[]
  readonly counters: Counters
  /** Replaces the list of client domains; what is not allowed any more ends. */
  setDomains(domains: readonly ClientDomain[]): void
  /** Sends clients to another server, or no more (RFC 9132 §4.6). */
  redirect(redirection: Redirection | undefined): void
  sizes(): ReturnType<DotsServerMachine['sizes']>
  /** What the CoAP sessions hold together and have lost, by the names of metrics. */
  loads(): ReturnType<DotsServerMachine['loads']>
  timers(): readonly Timer<string>[]
  /** All sessions at present. */
  sessions(): readonly SessionSnapshot[]
  /** All mitigations at present. */
  mitigations(): readonly MitigationSnapshot[]
  /** Counters of the endpoints, in the order of `listen`. */
  endpointStats(): readonly EndpointStats[]
  /** Says goodbye to all peers and lets go of everything but the store and the mitigator, whose plans stay in force. */
  stop(): Promise<void>
}

/**
 * Starts a server: reads its records, listens, and keeps the machine supplied. Nobody is listened to before the records
 * are read.
 * @throws UnavailableError when the store cannot be read or an address cannot be bound, ConfigError on unusable credentials.
 */
export async function hostDotsServer(ports: ServerPorts): Promise<ServerHost> {
  const host = new Host(ports)
  await host.start()
  return host
}

type OutputOf<Kind extends ServerOutput['kind']> = Extract<ServerOutput, { readonly kind: Kind }>

class Host implements ServerHost {
  readonly #ports: ServerPorts
  readonly #machine: DotsServerMachine
  readonly #driver: Driver<ServerInput, ServerOutput>
  readonly #listeners: Listeners

  constructor(ports: ServerPorts) {
    this.#ports = ports
    const { entropy, domains, policy, counters } = ports
    this.#machine = new DotsServerMachine({
      entropy,
      domains,
      ...(policy === undefined ? {} : { policy }),
      ...(counters === undefined ? {} : { counters })
    })
    this.#driver = new Driver(this.#machine, ports.clock, (output) => this.#perform(output))
    this.#listeners = new Listeners(ports, {
      feed: (input) => this.#feed(input),
      together: (act) => this.#driver.together(act)
    })
  }

  get addresses(): readonly ListeningAddress[] {
    return this.#listeners.addresses
  }

  get counters(): Counters {
    return this.#machine.counters
  }

  async start(): Promise<void> {
    // Before the records: what changes meanwhile is heard of twice, which does no harm.
    const revision = await this.#ports.sharing?.revision()
    const loaded = await this.#ports.store.load(MITIGATION_COLLECTION)
    try {
      await this.#listeners.open(this.#ports.listen)
    } catch (error) {
      this.#driver.stop()
      throw error
    }
    // Only now: a second server started by mistake fails to bind before it touches the mitigator of the first.
    this.#listeners.serve()
    this.#feed({ kind: 'clock', wallClock: this.#ports.clock.wallClock() })
    this.#feed({ kind: 'loaded', ...loaded, ...(revision === undefined ? {} : { revision }) })
  }

  setDomains(domains: readonly ClientDomain[]): void {
    this.#feed({ kind: 'domains', domains })
  }

  redirect(redirection: Redirection | undefined): void {
    this.#feed({ kind: 'redirection', redirection })
  }

  sizes(): ReturnType<DotsServerMachine['sizes']> {
    return this.#machine.sizes()
  }

  loads(): ReturnType<DotsServerMachine['loads']> {
    return this.#machine.loads()
  }

  timers(): readonly Timer<string>[] {
    return this.#machine.timers()
  }

  sessions(): readonly SessionSnapshot[] {
    return this.#machine.sessions(this.#ports.clock.now())
  }

  mitigations(): readonly MitigationSnapshot[] {
    return this.#machine.mitigations(this.#ports.clock.now())
  }

  endpointStats(): readonly EndpointStats[] {
    return this.#listeners.stats()
  }

  async stop(): Promise<void> {
    this.#driver.stop()
    await this.#listeners.close()
  }

  /** A fault of ours in one input must not lose the others: it is logged, and the driver takes up what it left behind. */
  #feed(input: ServerInput): void {
    try {
      this.#driver.feed(input)
    } catch (error) {
      const stack = error instanceof Error ? error.stack : undefined
      this.#ports.log.error('server.fault', { input: input.kind, message: String(error), stack })
    }
  }

  #perform(output: ServerOutput): void {
    switch (output.kind) {
      case 'send':
        this.#listeners.send(output.peer, output.bytes)
        return
      case 'send-batch':
        this.#listeners.sendBatch(output.batch)
        return
      case 'close':
        this.#listeners.closePeer(output.peer)
        return
      case 'store':
        this.#commit(output)
        return
      case 'read-changes':
      case 'beat':
        this.#share(output)
        return
      case 'apply':
      case 'withdraw':
      case 'read-in-force':
      case 'read-counters':
        this.#mitigate(output)
        return
      case 'resolve':
        this.#resolve(output)
        return
      case 'read-clock':
        this.#feed({ kind: 'clock', wallClock: this.#ports.clock.wallClock() })
        return
      case 'event':
        logEvent(this.#ports.log, output.event)
        this.#ports.onEvent?.(output.event)
    }
  }

  #commit({ operation, changes, seen }: OutputOf<'store'>): void {
    const { sharing } = this.#ports
    if (sharing !== undefined && seen !== undefined) {
      this.#settle(
        sharing.commitAsOf(seen, MITIGATION_COLLECTION, changes),
        (outcome) =>
          outcome.kind === 'committed'
            ? { kind: 'stored', operation }
            : { kind: 'outdated', operation, others: outcome.others },
        (failure) => ({ kind: 'store-failed', operation, failure })
      )
      return
    }
    this.#settle(
      this.#ports.store.commit(changes),
      () => ({ kind: 'stored', operation }),
      (failure) => ({ kind: 'store-failed', operation, failure })
    )
  }

  #share(output: OutputOf<'read-changes' | 'beat'>): void {
    const { sharing } = this.#ports
    if (sharing === undefined) return
    if (output.kind === 'beat')
      this.#settle(
        sharing.beat(output.notice),
        (beat) => ({ kind: 'beat', beat }),
        (failure) => ({ kind: 'beat-failed', failure })
      )
    else
      this.#settle(
        sharing.changes(MITIGATION_COLLECTION, output.seen),
        (others) => ({ kind: 'changes', others }),
        (failure) => ({ kind: 'changes-failed', failure })
      )
  }

  #mitigate(output: OutputOf<'apply' | 'withdraw' | 'read-in-force' | 'read-counters'>): void {
    const { mitigator } = this.#ports
    switch (output.kind) {
      case 'apply': {
        const { plan } = output
        this.#settle(
          mitigator.apply(plan),
          () => ({ kind: 'applied', plan: plan.id }),
          (failure) => ({ kind: 'apply-failed', plan: plan.id, failure })
        )
        return
      }
      case 'withdraw': {
        const { plan } = output
        this.#settle(
          mitigator.withdraw(plan),
          () => ({ kind: 'withdrawn', plan }),
          (failure) => ({ kind: 'withdraw-failed', plan, failure })
        )
        return
      }
      case 'read-in-force':
        this.#settle(
          mitigator.inForce(),
          (plans) => ({ kind: 'in-force', plans }),
          (failure) => ({ kind: 'in-force-failed', failure })
        )
        return
      case 'read-counters':
        this.#readAcceptLists()
        this.#settle(
          mitigator.counters(),
          (counters) => ({ kind: 'counters', counters }),
          (failure) => ({ kind: 'counters-failed', failure })
        )
        return
    }
  }

  /** What cannot be read is no conflict that we could tell of; the data channel reports its own faults. */
  #readAcceptLists(): void {
    this.#ports.acceptLists?.conflicts().then(
      (conflicts) => this.#feed({ kind: 'accept-lists', conflicts }),
      () => undefined
    )
  }

  #resolve({ query, name }: OutputOf<'resolve'>): void {
    const { resolver } = this.#ports
    if (resolver === undefined) {
      const message = 'this server resolves no names'
      const failure = { code: 'DOTS_SERVER_NO_RESOLVER', message, retryable: false }
      this.#feed({ kind: 'resolve-failed', query, failure })
      return
    }
    this.#settle(
      resolver.resolve(name),
      (answer) => ({ kind: 'resolved', query, answer }),
      (failure) => ({ kind: 'resolve-failed', query, failure })
    )
  }

  /** Feeds what became of a call of a port; after `stop` the driver ignores it. */
  #settle<Result>(
    call: Promise<Result>,
    succeeded: (result: Result) => ServerInput,
    failed: (failure: Failure) => ServerInput
  ): void {
    call.then(
      (result) => this.#feed(succeeded(result)),
      (error: unknown) => this.#feed(failed(failureOf(error)))
    )
  }
}

/** Ports reject with `UnavailableError`; anything else is a bug of theirs that must not stop the server. */
function failureOf(error: unknown): Failure {
  if (error instanceof UnavailableError) {
    const { code, message, retryable } = error
    return { code, message, retryable }
  }
  if (error instanceof BreakwaterError) return { code: error.code, message: error.message, retryable: false }
  return { code: 'DOTS_SERVER_PORT_FAILED', message: String(error), retryable: true }
}
