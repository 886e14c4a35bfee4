import type { ClientEvent } from './client-io.ts'
import type { Protection } from './protection.ts'

/** RFC 9284 §6: what reaches another domain's servers is told of, whenever it is decided; so is what deviates from §5.2. */
export function placementEvents({ request, placement }: Protection): ClientEvent[] {
  const protection = request.id
  return placement.parts.flatMap(({ prefixes, consents, turn }): ClientEvent[] => [
    ...consents.flatMap(({ server, consents: used }) =>
      used.map((consent): ClientEvent => ({ kind: 'consent-used', protection, server, prefixes, consent }))
    ),
    ...(turn === undefined ? [] : [{ kind: 'policy-used', protection, prefixes, turn } as const])
  ])
}
