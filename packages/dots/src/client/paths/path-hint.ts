import type { PathHint } from '@breakwater/core'
import type { LegalPath } from '../../multihoming/legal-path.ts'
import type { PathEvidence } from './path-evidence.ts'
import { usedPath } from './used-path.ts'

const WORDS: Readonly<Record<PathHint['kind'], string>> = {
  unreachable: 'that it cannot be reached',
  'port-unreachable': 'that nobody listens there',
  'too-big': 'that a datagram was too big'
}

/**
 * What ICMP, or this host, says of a path that a session uses: a reason to look at it by one heartbeat (RFC 7252 §4.2: nothing
 * in it proves who said so).
 */
export function hintEvidence({ kind, origin, mtuBytes }: PathHint, path: LegalPath): PathEvidence {
  const who = origin === 'local' ? 'this host' : 'an ICMP message'
  return {
    path: usedPath(path),
    reporter: origin,
    verdict: 'bad',
    trust: 'hint',
    because: `${who} says ${WORDS[kind]}`,
    ...(mtuBytes === undefined ? {} : { tooBig: { path, saidBytes: mtuBytes } })
  }
}
