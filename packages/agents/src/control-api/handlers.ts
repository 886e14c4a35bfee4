import type {
  AgentView,
  DecisionsView,
  DomainsView,
  EfficacyRequest,
  MitigationView,
  PathsView,
  PlanRequest,
  PlanView,
  ProtectAnswer,
  ProtectionView,
  ProtectRequest,
  RedirectionView,
  SessionView
} from '@breakwater/control'

/** What the control API can ask of any agent. */
export interface AgentHandlers {
  agent(): AgentView
  sessions(): readonly SessionView[]
  counters(): Readonly<Record<string, number>>
}

/** What it can ask of a client. Rejections of the six families go to the caller as they are. */
export interface ClientHandlers extends AgentHandlers {
  plan(request: PlanRequest): Promise<PlanView>
  paths(): PathsView
  domains(): DomainsView
  /** Undefined: nothing is known of such a protection, server or path. */
  decisions(name: string): DecisionsView | undefined
  protect(request: ProtectRequest): Promise<ProtectAnswer>
  protections(): readonly ProtectionView[]
  /** Undefined: there is no such protection. */
  protection(id: string): ProtectionView | undefined
  release(id: string): Promise<ProtectionView | undefined>
  /** Undefined: there is no such protection. */
  updateEfficacy(id: string, request: EfficacyRequest): ProtectionView | undefined
  /** Calls `listener` after any protection changed. @returns how to stop that. */
  onChange(listener: () => void): () => void
}

/** What it can ask of a server. */
export interface ServerHandlers extends AgentHandlers {
  mitigations(): Promise<readonly MitigationView[]>
  /** Undefined: nobody is sent elsewhere any more. Throws `DecodeError` on a name or address that is none. */
  redirect(redirection: RedirectionView | undefined): void
}
