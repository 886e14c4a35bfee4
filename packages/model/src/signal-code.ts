/** Enumerations of `iana-dots-signal-channel`, as they stand on the wire (RFC 9132 §5.2, §10.6.2–10.6.5). */

/** State of a mitigation, told by the server (RFC 9132 §4.4.2, Table 3). */
export const MitigationStatusCode = {
  attackMitigationInProgress: 1,
  attackSuccessfullyMitigated: 2,
  attackStopped: 3,
  attackExceededCapability: 4,
  dotsClientWithdrawnMitigation: 5,
  attackMitigationTerminated: 6,
  attackMitigationWithdrawn: 7,
  attackMitigationSignalLoss: 8
} as const

/** Which of two conflicting requests is active (RFC 9132 §4.4.1.3). */
export const ConflictStatusCode = {
  requestInactiveOtherActive: 1,
  requestActive: 2,
  allRequestsInactive: 3
} as const

/** Why requests conflict (RFC 9132 §4.4.1.3). */
export const ConflictCauseCode = {
  overlappingTargets: 1,
  conflictWithAcceptlist: 2,
  cuidCollision: 3
} as const

/** How the client sees the attack, in an efficacy update (RFC 9132 §4.4.3). */
export const AttackStatusCode = {
  underAttack: 1,
  attackSuccessfullyMitigated: 2
} as const

/** Last code of each of the registries (RFC 9132 §10.6.2–10.6.5). */
export const LAST_REGISTERED_CODE = 2_147_483_647
