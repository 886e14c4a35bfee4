import { signalToJson } from '@breakwater/model'
import type { JsonObject, JsonValue } from '@breakwater/model'
import type * as fc from 'fast-check'
import { signalMessages } from '../packages/model/test/arbitrary.ts'

/** Random bodies that keep to everything that the YANG module says, which is more than we ask for. */
export function conformingBodies(): fc.Arbitrary<JsonObject> {
  return signalMessages().map((message) => conforming(signalToJson(message)) as JsonObject)
}

/** A message without what only we accept, so that both must find it valid. */
function conforming(json: JsonValue): JsonValue {
  if (Array.isArray(json)) return json.map((entry: JsonValue) => conforming(entry))
  if (typeof json !== 'object' || json === null) return json
  const members = Object.entries(json as JsonObject)
    // Table 5 has keys for the first three, the module has no nodes (RFC 9132 §4.4.1.1).
    .filter(([name]) => !['cdid', 'cuid', 'sid'].includes(name))
    .filter(
      ([name, value]) => !(/status$|-cause$/.test(name) && typeof value === 'string' && /^\d+$/.test(value))
    )
    .map(([name, value]) => [name, name === 'acl-type' ? identity : conforming(value)] as const)
  const kept: Record<string, JsonValue> = Object.fromEntries(members)
  const scope = kept['conflict-scope']
  if (scope !== undefined) kept['conflict-scope'] = allowedScope(kept['conflict-cause'], scope as JsonObject)
  return kept
}

const identity = 'ietf-access-control-list:ipv4-acl-type'

/** What `when` leaves of a conflict-scope (RFC 9132 §5.3). */
function allowedScope(cause: JsonValue | undefined, scope: JsonObject): JsonObject {
  const { 'acl-list': acls, ...targets } = scope
  if (cause === 'overlapping-targets') return targets
  return cause === 'conflict-with-acceptlist' && acls !== undefined ? { 'acl-list': acls } : {}
}
