/** RFC 9132 §4.4.2, Table 3: what a server says of a mitigation, as the number on the wire. */
export const MitigationStatus = {
  inProgress: 1,
  successfullyMitigated: 2,
  stopped: 3,
  exceededCapability: 4,
  terminated: 5,
  withdrawn: 6,
  withdrawnByConflict: 7
} as const

export type MitigationStatus = (typeof MitigationStatus)[keyof typeof MitigationStatus]
