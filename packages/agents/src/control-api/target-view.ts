import { formatIpPrefix } from '@breakwater/core'
import type { Target } from '@breakwater/dots'
import type { TargetView } from '@breakwater/control'

/** A target as the control API shows it. */
export function targetView({ prefixes, ports, protocols }: Target): TargetView {
  return {
    prefixes: prefixes.map((prefix) => formatIpPrefix(prefix)),
    ports: ports.map(({ lower, upper }) => ({ lower, upper })),
    protocols: [...protocols]
  }
}
