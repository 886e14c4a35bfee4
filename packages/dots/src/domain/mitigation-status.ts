/** RFC 9132 §4.4.2, Table 3: what a server says of a mitigation, as the number on the wire. */
export const MitigationStatus = {
  inProgress: 1,
  successfullyMitigated: 2,
  /** The attack has stopped. */
  stopped: 3,
  exceededCapability: 4,
  /** Withdrawn by the client; its filter stays for a while. */
  activeButTerminating: 5,
  terminated: 6,
  withdrawnByServer: 7,
  /** Waits for the loss of the session. */
  preconfigured: 8
} as const

export type MitigationStatus = (typeof MitigationStatus)[keyof typeof MitigationStatus]
