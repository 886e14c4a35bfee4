/** RFC 9132 §4.4.2, Table 3, in a few words each. */
const texts: Readonly<Record<number, string>> = {
  1: 'mitigation in progress',
  2: 'attack successfully mitigated',
  3: 'attack has stopped',
  4: 'attack exceeds the capability of the mitigator',
  5: 'withdrawn by the client, still active for a while',
  6: 'mitigation has ended',
  7: 'withdrawn by the server',
  8: 'will be triggered when the session is lost'
}

/** What a server says of a mitigation, for people. */
export function mitigationStatusText(status: number): string {
  return texts[status] ?? `status ${status}`
}
