import { parseIpPrefix } from '@breakwater/core'
import type { PolicyRow, SelectionSettings } from '@breakwater/dots'
import { policyProblems } from '@breakwater/dots'
import type { Static } from 'typebox'
import { present } from './draft.ts'
import type { Draft } from './draft.ts'
import { choice, flag, list, optional, section, text, whole } from './option.ts'
import type { ConfigPath, ShapeProblem } from './shape.ts'

const policyRow = section(
  {
    prefix: text('ip-prefix', {
      description: 'Addresses that the row is about; an IPv4 prefix means its IPv4-mapped form.'
    }),
    precedence: whole(0, 2_147_483_647, { description: 'Destinations of a higher one come first.' }),
    label: whole(0, 2_147_483_647, {
      description: 'Sources are preferred for destinations of their own label.'
    }),
    zone: optional(
      text('interface', {
        description: 'Of a prefix that is not of global scope: holds on this interface only.',
        source: 'RFC 6724 §2.1'
      })
    )
  },
  { description: 'A row of the policy table.' }
)

/** How addresses are selected where the operator names none. */
export const addressSelection = section(
  {
    policy: optional(
      list(policyRow, 1, {
        description: 'The policy table, in place of the default one. The longest matching prefix decides.',
        source: 'RFC 6724 §2.1'
      })
    ),
    automaticRows: optional(
      flag({
        description:
          'Add rows for the unique local and 6to4 prefixes that this host has addresses of, so that it prefers them within the site.',
        default: true,
        source: 'RFC 6724 §2.1'
      })
    ),
    prefer: optional(
      choice(['temporary', 'public'], {
        description:
          'Which source of an interface is preferred where it has both: temporary addresses hide who asks, public ones last.',
        default: 'temporary',
        source: 'RFC 6724 §5'
      })
    )
  },
  {
    description:
      'How local addresses, and addresses that a redirect leads to, are ordered where `sources` names none. RFC 9132 §4.3 decides between IPv6 and IPv4 all the same.',
    default: {},
    source: 'RFC 9284 §5.1'
  }
)

type AddressSelectionConfig = Static<typeof addressSelection>

/** The settings that a configuration describes. Holes of a draft are left out. */
export function selectionSettingsOf(config: Draft<AddressSelectionConfig> = {}): SelectionSettings {
  const { automaticRows, prefer, policy } = config
  return {
    ...(policy === undefined ? {} : { policy: rowsOf(config).map(([, row]) => row) }),
    ...(automaticRows === undefined ? {} : { automaticRows }),
    prefersPublic: prefer === 'public'
  }
}

/** What is wrong with the policy table as a whole. */
export function policyTableProblems(config: Draft<AddressSelectionConfig> = {}): ShapeProblem[] {
  const rows = rowsOf(config)
  return policyProblems(rows.map(([, row]) => row)).map(({ row, message }) => {
    const place: ConfigPath = ['addressSelection', 'policy', rows[row]?.[0] ?? row]
    return { path: place, message }
  })
}

function rowsOf({ policy }: Draft<AddressSelectionConfig>): (readonly [number, PolicyRow])[] {
  return present(policy).flatMap(([index, { prefix: own, precedence, label, zone }]) => {
    const prefix = own === undefined ? undefined : parseIpPrefix(own)
    if (prefix === undefined || precedence === undefined || label === undefined) return []
    return [[index, { prefix, precedence, label, ...(zone === undefined ? {} : { zone }) }] as const]
  })
}
