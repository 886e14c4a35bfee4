/**
 * Signal channel messages as the program sees them: the YANG names in camel case, absent members absent. Their wire form
 * is declared in `signal.ts`.
 */

/** One DOTS signal message: at most one of its four containers. */
export interface SignalMessage {
  readonly mitigationScope?: MitigationScope
  readonly signalConfig?: SignalConfig
  readonly redirectedSignal?: RedirectedSignal
  readonly heartbeat?: Heartbeat
}

export interface MitigationScope {
  readonly scope?: readonly MitigationScopeEntry[]
}

/** What is attacked, or what a conflict is about. */
export interface TargetNodes {
  /** `192.0.2.0/24`, `2001:db8::/32`. Host bits may be set. */
  readonly targetPrefix?: readonly string[]
  readonly targetPortRange?: readonly PortRange[]
  /** IANA protocol numbers, 0 … 255. */
  readonly targetProtocol?: readonly number[]
  readonly targetFqdn?: readonly string[]
  readonly targetUri?: readonly string[]
  readonly aliasName?: readonly string[]
}

/** Without `upperPort`: one port. */
export interface PortRange {
  readonly lowerPort: number
  /** At least `lowerPort`. */
  readonly upperPort?: number
}

/** One mitigation: a request, or its status. */
export interface MitigationScopeEntry extends TargetNodes {
  /** Has a CBOR key, but must not stand in a request (RFC 9132 §4.4.1.1). */
  readonly cdid?: string
  /** Has a CBOR key, but must not stand in a request (RFC 9132 §4.4.1.1). */
  readonly cuid?: string
  /** Must not stand in a request (RFC 9132 §4.4.1.1). */
  readonly mid?: number
  /** Seconds; −1: without end. 0 passes: whether it is wrong depends on the message. */
  readonly lifetime?: number
  /** Seconds since 1970-01-01T00:00:00Z. */
  readonly mitigationStart?: bigint
  /** A MitigationStatusCode, or one that the registry got later. */
  readonly status?: number
  readonly conflictInformation?: ConflictInformation
  readonly bytesDropped?: bigint
  /** Bytes per second. */
  readonly bpsDropped?: bigint
  readonly pktsDropped?: bigint
  /** Packets per second. */
  readonly ppsDropped?: bigint
  /** An AttackStatusCode. Never together with what only a server sends. */
  readonly attackStatus?: number
  /** Default true. */
  readonly triggerMitigation?: boolean
}

export interface ConflictInformation {
  /** A ConflictStatusCode, or one that the registry got later. */
  readonly conflictStatus?: number
  /** A ConflictCauseCode, or one that the registry got later. */
  readonly conflictCause?: number
  /** Seconds. */
  readonly retryTimer?: number
  readonly conflictScope?: ConflictScope
}

export interface ConflictScope extends TargetNodes {
  readonly mid?: number
  readonly aclList?: readonly ConflictingAcl[]
}

export interface ConflictingAcl {
  readonly aclName: string
  readonly aclType?: string
}

/** Session configuration (RFC 9132 §4.5). */
export interface SignalConfig {
  readonly sid?: number
  readonly mitigatingConfig?: SessionParameters
  readonly idleConfig?: SessionParameters
}

export interface SessionParameters {
  /** Seconds; 0: no heartbeats. */
  readonly heartbeatInterval?: IntegerParameter
  readonly missingHbAllowed?: IntegerParameter
  /** Bytes per second. */
  readonly probingRate?: IntegerParameter
  readonly maxRetransmit?: IntegerParameter
  /** Seconds. */
  readonly ackTimeout?: DecimalParameter
  readonly ackRandomFactor?: DecimalParameter
}

export interface IntegerParameter {
  readonly maxValue?: number
  readonly minValue?: number
  readonly currentValue?: number
}

/** Numbers of two digits after the point. */
export interface DecimalParameter {
  readonly maxValueDecimal?: number
  readonly minValueDecimal?: number
  readonly currentValueDecimal?: number
}

/** "Ask there instead" (RFC 9132 §4.6). */
export interface RedirectedSignal {
  readonly altServer: string
  /** IP addresses. */
  readonly altServerRecord?: readonly string[]
}

/** RFC 9132 §4.7. */
export interface Heartbeat {
  /** Whether the sender receives the heartbeats of its peer. */
  readonly peerHbStatus: boolean
}
