import { Code, OptionNumber } from '@breakwater/coap'
import type { CoapOption } from '@breakwater/coap'
import { encodeUtf8 } from '@breakwater/core'
import type { MitigationScopeEntry } from '@breakwater/model'
import { accepted, refused } from './problem.ts'
import type { Checked } from './problem.ts'

/** What of mitigations a GET asks for: the `c` of its query (RFC 9132 §4.4.2, Table 2). */
export type Content = 'configuration' | 'state' | 'all'

const CONTENT_OF: ReadonlyMap<string, Content> = new Map([
  ['c=c', 'configuration'],
  ['c=n', 'state'],
  ['c=a', 'all']
])

/** Reads the Uri-Query options of a GET; without any, it asks for all (RFC 9132 §4.4.2). */
export function parseContent(options: readonly CoapOption[]): Checked<Content> {
  let found: Content | undefined
  for (const { number, value } of options) {
    if (number !== OptionNumber.uriQuery) continue
    const content = CONTENT_OF.get(asciiOf(value))
    if (content === undefined || found !== undefined)
      return refused(
        'DOTS_SIGNAL_QUERY_INVALID',
        Code.badRequest,
        'there is one query, which is c=c, c=n or c=a (Uri-Query)'
      )
    found = content
  }
  return accepted(found ?? 'all')
}

/** The Uri-Query option that asks for a part (RFC 9132 §4.4.2, Table 2). */
export function contentQuery(content: Content): CoapOption {
  const [query] = [...CONTENT_OF].find(([, each]) => each === content) ?? ['c=a']
  return { number: OptionNumber.uriQuery, value: encodeUtf8(query) }
}

/**
 * The part of an entry that was asked for. Configuration is what a client conveys, all else is what only a server knows;
 * the mid names the entry, so it stays.
 */
export function selectContent(entry: MitigationScopeEntry, content: Content): MitigationScopeEntry {
  if (content === 'all') return entry
  const {
    mid,
    mitigationStart,
    status,
    conflictInformation,
    bytesDropped,
    bpsDropped,
    pktsDropped,
    ppsDropped,
    ...conveyed
  } = entry
  const name = mid === undefined ? {} : { mid }
  if (content === 'configuration') return { ...name, ...conveyed }
  return {
    ...name,
    ...(mitigationStart === undefined ? {} : { mitigationStart }),
    ...(status === undefined ? {} : { status }),
    ...(conflictInformation === undefined ? {} : { conflictInformation }),
    ...(bytesDropped === undefined ? {} : { bytesDropped }),
    ...(bpsDropped === undefined ? {} : { bpsDropped }),
    ...(pktsDropped === undefined ? {} : { pktsDropped }),
    ...(ppsDropped === undefined ? {} : { ppsDropped })
  }
}

/** Anything longer than a known query is none. */
function asciiOf(value: Uint8Array): string {
  return value.length === 3 ? String.fromCharCode(...value) : ''
}
