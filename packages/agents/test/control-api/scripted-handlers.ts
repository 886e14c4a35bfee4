import type {
  DecisionsView,
  DomainsView,
  EfficacyRequest,
  PlanView,
  ProtectionView,
  ProtectRequest
} from '@breakwater/control'
import type { ClientHandlers, ServerHandlers } from '../../src/control-api/handlers.ts'

const agent = { version: '0.1.0', pid: 7, uptimeSeconds: 1.5, listen: ['127.0.0.1:4646'] }

const refusedPlan: PlanView = {
  verdict: 'refused',
  parts: [],
  refusals: [],
  uncovered: [],
  waiting: [],
  translated: []
}

/** A client that does what the test says. */
export class ScriptedClient implements ClientHandlers {
  readonly asked: ProtectRequest[] = []
  readonly views = new Map<string, ProtectionView>()
  readonly listeners = new Set<() => void>()
  failure: Error | undefined

  agent(): ReturnType<ClientHandlers['agent']> {
    return { role: 'client', ...agent }
  }

  sessions(): ReturnType<ClientHandlers['sessions']> {
    if (this.failure !== undefined) throw this.failure
    return [{ peer: 'isp-a', domain: 'isp-a', state: 'established' }]
  }

  counters(): Readonly<Record<string, number>> {
    return { a_total: 3 }
  }

  paths(): ReturnType<ClientHandlers['paths']> {
    const path = {
      server: 'isp-a',
      domain: 'isp-a',
      transport: 'udp',
      source: '198.51.100.1',
      interface: 'wan-a',
      remote: '[2001:db8::1]:4646',
      use: 'session',
      state: 'up',
      outward: 'up',
      inward: 'unknown',
      score: 0.5,
      because: 'a request was answered',
      mtuBytes: 1280,
      mtuSource: 'assumed',
      timeouts: 0
    } as const
    return { paths: [path], illegal: [{ server: 'isp-a', domain: 'isp-a', because: 'no source' }] }
  }

  decisions(name: string): DecisionsView | undefined {
    if (name !== 'udp wan-a 198.51.100.1 to [2001:db8::1]:4646') return undefined
    const why = { decision: 'session established', because: 'it won', inputs: { server: 'isp-a' } }
    return { decisions: [{ at: '2026-11-28T03:04:05.000Z', kind: 'path', subject: name, ...why }] }
  }

  domains(): DomainsView {
    const facts = [
      { kind: 'prefix', text: '2001:db8::/56', origin: 'dhcpv6', validSeconds: 60, state: 'used' } as const
    ]
    const domain = {
      domain: 'isp-a',
      kind: 'access',
      interfaces: ['wan'],
      learnsFrom: ['dhcpv6'],
      facts
    } as const
    return { domains: [{ ...domain, interfaces: ['wan'], learnsFrom: ['dhcpv6'] }], unclaimed: [] }
  }

  plan(): Promise<PlanView> {
    return Promise.resolve(refusedPlan)
  }

  protect(request: ProtectRequest): ReturnType<ClientHandlers['protect']> {
    this.asked.push(request)
    const { prefixes = [] } = request
    if (prefixes[0] === '8.8.8.8/32') return Promise.resolve({ accepted: false, plan: refusedPlan })
    const protection: ProtectionView = {
      id: 'p-1',
      revision: 1,
      state: 'asking',
      target: { prefixes, ports: request.ports ?? [], protocols: request.protocols ?? [] },
      requests: [{ server: 'isp-a', domain: 'isp-a', prefixes, state: 'asking', text: 'asked' }],
      missing: []
    }
    this.views.set('p-1', protection)
    return Promise.resolve({ accepted: true, protection })
  }

  protections(): readonly ProtectionView[] {
    return [...this.views.values()]
  }

  protection(id: string): ProtectionView | undefined {
    return this.views.get(id)
  }

  release(id: string): Promise<ProtectionView | undefined> {
    return Promise.resolve(this.change(id, 'ending'))
  }

  updateEfficacy(id: string, { attackStatus }: EfficacyRequest): ProtectionView | undefined {
    return this.change(id, attackStatus === 'mitigated' ? 'protected' : 'partly-protected')
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  /** Gives a protection another state and tells whoever waits for that. */
  change(id: string, state: ProtectionView['state']): ProtectionView | undefined {
    const view = this.views.get(id)
    if (view === undefined) return undefined
    const changed = { ...view, state, revision: view.revision + 1 }
    this.views.set(id, changed)
    for (const listener of this.listeners) listener()
    return changed
  }
}

/** A server that mitigates one thing. */
export const scriptedServer: ServerHandlers = {
  agent: () => ({ role: 'server', ...agent }),
  sessions: () => [],
  counters: () => ({}),
  redirect: () => undefined,
  mitigations: () =>
    Promise.resolve([
      {
        client: 'home',
        cuid: 'abc',
        mitigationId: 12,
        state: 'active',
        status: 'attack successfully mitigated',
        target: { prefixes: ['203.0.113.7/32'], ports: [{ lower: 80, upper: 80 }], protocols: [17] },
        remainingLifetimeSeconds: 3599,
        droppedPackets: '12345678901234567890',
        droppedBytes: '1'
      }
    ])
}
