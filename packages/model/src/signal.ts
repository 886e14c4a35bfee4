import {
  AttackStatusCode,
  ConflictCauseCode,
  ConflictStatusCode,
  LAST_REGISTERED_CODE,
  MitigationStatusCode
} from './signal-code.ts'
import type { SignalMessage } from './signal-message.ts'
import {
  boolean,
  choice,
  container,
  decimal64,
  domainName,
  enumeration,
  ipAddress,
  ipPrefix,
  leafList,
  list,
  mandatory,
  optional,
  registered,
  string,
  uint16,
  uint32,
  uint32OrMinusOne,
  uint64,
  uint8,
  uri
} from './yang/declare.ts'
import type { MustProblem } from './yang/node.ts'
import { valuesOf } from './yang/value.ts'
import type { ContainerOf } from './yang/value.ts'

/** The module `ietf-dots-signal-channel` (RFC 9132 §5.3) with the CBOR keys of RFC 9132 §6, Table 5. */

const portRange = container(
  { 'lower-port': mandatory(8, uint16()), 'upper-port': optional(9, uint16()) },
  (range) => portsInOrder(range['lowerPort'], range['upperPort'])
)

function portsInOrder(lower: unknown, upper: unknown): MustProblem | undefined {
  if (typeof lower !== 'number' || typeof upper !== 'number' || lower <= upper) return undefined
  return { member: 'upper-port', problem: `${upper} is below the lower-port ${lower}` }
}

/** Grouping `target` of `ietf-dots-data-channel`, and the alias-name that always stands beside it. */
const target = {
  'target-prefix': optional(6, leafList(ipPrefix())),
  'target-port-range': optional(7, list(portRange, 'lower-port')),
  'target-protocol': optional(10, leafList(uint8())),
  'target-fqdn': optional(11, leafList(domainName())),
  'target-uri': optional(12, leafList(uri())),
  'alias-name': optional(13, leafList(string()))
} as const

const conflictScope = container({
  ...target,
  'acl-list': optional(
    22,
    list(
      container({
        'acl-name': mandatory(23, string('leafref', 64)),
        'acl-type': optional(24, string('leafref'))
      }),
      'acl-name'
    )
  ),
  mid: optional(5, uint32())
})

const conflictInformation = container({
  'conflict-status': optional(
    18,
    registered(
      'conflict-status',
      {
        'request-inactive-other-active': ConflictStatusCode.requestInactiveOtherActive,
        'request-active': ConflictStatusCode.requestActive,
        'all-requests-inactive': ConflictStatusCode.allRequestsInactive
      },
      LAST_REGISTERED_CODE
    )
  ),
  'conflict-cause': optional(
    19,
    registered(
      'conflict-cause',
      {
        'overlapping-targets': ConflictCauseCode.overlappingTargets,
        'conflict-with-acceptlist': ConflictCauseCode.conflictWithAcceptlist,
        'cuid-collision': ConflictCauseCode.cuidCollision
      },
      LAST_REGISTERED_CODE
    )
  ),
  'retry-timer': optional(20, uint32()),
  'conflict-scope': optional(21, conflictScope)
})

const status = registered(
  'status',
  {
    'attack-mitigation-in-progress': MitigationStatusCode.attackMitigationInProgress,
    'attack-successfully-mitigated': MitigationStatusCode.attackSuccessfullyMitigated,
    'attack-stopped': MitigationStatusCode.attackStopped,
    'attack-exceeded-capability': MitigationStatusCode.attackExceededCapability,
    'dots-client-withdrawn-mitigation': MitigationStatusCode.dotsClientWithdrawnMitigation,
    'attack-mitigation-terminated': MitigationStatusCode.attackMitigationTerminated,
    'attack-mitigation-withdrawn': MitigationStatusCode.attackMitigationWithdrawn,
    'attack-mitigation-signal-loss': MitigationStatusCode.attackMitigationSignalLoss
  },
  LAST_REGISTERED_CODE
)

/** Closed, unlike the others: a server cannot act upon a report that it does not understand. */
const attackStatus = enumeration('attack-status', {
  'under-attack': AttackStatusCode.underAttack,
  'attack-successfully-mitigated': AttackStatusCode.attackSuccessfullyMitigated
})

const scope = container({
  // cdid and cuid have keys in Table 5 but no node in the module: as Uri-Path parameters they never reach a body.
  cdid: optional(3, string()),
  cuid: optional(4, string()),
  ...target,
  lifetime: optional(14, uint32OrMinusOne()),
  'trigger-mitigation': optional(45, boolean()),
  mid: optional(5, uint32(), 'server-to-client'),
  'mitigation-start': optional(15, uint64(), 'server-to-client'),
  status: optional(16, status, 'server-to-client'),
  'conflict-information': optional(17, conflictInformation, 'server-to-client'),
  'bytes-dropped': optional(25, uint64('zero-based-counter64'), 'server-to-client'),
  'bps-dropped': optional(26, uint64('gauge64'), 'server-to-client'),
  'pkts-dropped': optional(27, uint64('zero-based-counter64'), 'server-to-client'),
  'pps-dropped': optional(28, uint64('gauge64'), 'server-to-client'),
  'attack-status': optional(29, attackStatus, 'client-to-server')
})

const integerParameter = container({
  'max-value': optional(34, uint16(), 'server-to-client'),
  'min-value': optional(35, uint16(), 'server-to-client'),
  'current-value': optional(36, uint16())
})

const decimalParameter = container({
  'max-value-decimal': optional(41, decimal64(), 'server-to-client'),
  'min-value-decimal': optional(42, decimal64(), 'server-to-client'),
  'current-value-decimal': optional(43, decimal64())
})

const sessionParameters = container({
  'heartbeat-interval': optional(33, integerParameter),
  'missing-hb-allowed': optional(37, integerParameter),
  'probing-rate': optional(50, integerParameter),
  'max-retransmit': optional(38, integerParameter),
  'ack-timeout': optional(39, decimalParameter),
  'ack-random-factor': optional(40, decimalParameter)
})

/** The whole structure `dots-signal`. */
export const signalStructure: ContainerOf<SignalMessage> = valuesOf<SignalMessage>()(
  choice({
    'mitigation-scope': optional(1, container({ scope: optional(2, list(scope)) })),
    'signal-config': optional(
      30,
      container({
        // Like cuid: a key in Table 5, no node in the module.
        sid: optional(31, uint32()),
        'mitigating-config': optional(32, sessionParameters),
        'idle-config': optional(44, sessionParameters)
      })
    ),
    'redirected-signal': optional(
      46,
      container({
        'alt-server': mandatory(47, domainName(), 'server-to-client'),
        'alt-server-record': optional(48, leafList(ipAddress()), 'server-to-client')
      })
    ),
    heartbeat: optional(49, container({ 'peer-hb-status': mandatory(51, boolean()) }))
  })
)
