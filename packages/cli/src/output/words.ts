import type { ProtectionView, TargetView } from '@breakwater/control'
import { protocolName } from '../target-options.ts'

/** `203.0.113.7/32, www.example.net udp 53, 80` */
export function targetText(
  { prefixes, ports, protocols }: TargetView,
  named: ProtectionView['named'] = { fqdns: [], uris: [], aliases: [] }
): string {
  const { fqdns, uris, aliases } = named
  const portTexts = ports.map(({ lower, upper }) => (lower === upper ? `${lower}` : `${lower}-${upper}`))
  return [
    [...prefixes, ...fqdns, ...uris, ...aliases.map((name) => `alias ${name}`)].join(', '),
    protocols.map((number) => protocolName(number)).join(', '),
    portTexts.join(', ')
  ]
    .filter((part) => part !== '')
    .join(' ')
}

/** `2 h 5 min`; the two largest units. */
export function durationText(seconds: number): string {
  if (seconds < 0) return 'indefinite'
  const whole = Math.round(seconds)
  const units: readonly (readonly [number, string])[] = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'min'],
    [1, 's']
  ]
  const parts = units.flatMap(([size, name], index) => {
    const above = units[index - 1]?.[0] ?? Infinity
    const count = Math.floor((whole % above) / size)
    return count === 0 ? [] : [`${count} ${name}`]
  })
  return parts.slice(0, 2).join(' ') || '0 s'
}

/** Digits in groups of three. Counters of 64 bits come as text. */
export function countText(count: string | number): string {
  return String(count).replaceAll(/\B(?=(?:\d{3})+$)/g, ',')
}
