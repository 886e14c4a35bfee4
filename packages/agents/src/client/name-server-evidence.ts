import { formatIpAddress } from '@breakwater/core'
import type { DomainName, PathEvidence } from '@breakwater/dots'
import type { NameServerWay, WayVerdict } from '@breakwater/runtime'

/**
 * What a question to a name server of a domain says of the path that it took. An answer repeats what only somebody on the path
 * can know: the number and the port of its question (RFC 5452 §9), or a secret of TLS. Undefined: it took none of a provider's.
 */
export function nameServerEvidence(
  domain: DomainName,
  { address: remote, source, interface: via }: NameServerWay,
  verdict: WayVerdict
): PathEvidence | undefined {
  if (source === undefined) return undefined
  const destination = formatIpAddress(remote.address)
  const from = formatIpAddress(source)
  return {
    path: {
      name: `dns ${destination} port ${remote.port} by ${via ?? 'the routes'} from ${from}`,
      destination,
      via,
      source: from
    },
    reporter: `resolver of ${domain}`,
    trust: 'cookie',
    verdict: verdict === 'answered' ? 'good' : 'bad',
    because: verdict === 'answered' ? 'a name server answered' : 'a name server was silent'
  }
}
