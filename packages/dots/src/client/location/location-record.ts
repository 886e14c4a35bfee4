import { decodeUtf8, encodeUtf8, formatIpAddress, parseIpAddress } from '@breakwater/core'
import { ServerName } from '../../domain/identifier.ts'
import type { RecordChange, StoredRecord } from '../../domain/record-store.ts'
import { listOf, objectOf, textOf } from '../memory/json-record.ts'
import { MOST_FOUND_ADDRESSES } from '../../multihoming/found-address.ts'
import type { RememberedLocation } from './server-locator.ts'

/** Collection of the record store with the addresses of servers that are known by name. */
export const LOCATIONS = 'server-locations'

/** What is to be stored of where a server is. */
export function locationChange(
  server: ServerName,
  { referenceName, addresses }: RememberedLocation
): RecordChange {
  const record = { referenceName, addresses: addresses.map((address) => formatIpAddress(address)) }
  return { kind: 'put', collection: LOCATIONS, key: server, value: encodeUtf8(JSON.stringify(record)) }
}

/** Reads them again. Of a record that is none nothing is known, and nothing is lost. */
export function locationsOf(records: readonly StoredRecord[]): ReadonlyMap<ServerName, RememberedLocation> {
  return new Map(
    records.flatMap(({ key, value }) => {
      const location = decodeLocation(value)
      return location === undefined ? [] : [[ServerName(key), location] as const]
    })
  )
}

function decodeLocation(bytes: Uint8Array): RememberedLocation | undefined {
  try {
    const record = objectOf(JSON.parse(decodeUtf8(bytes)), 'location')
    const texts = listOf(record['addresses'], 'addresses').slice(0, MOST_FOUND_ADDRESSES)
    const addresses = texts.flatMap((text) => parseIpAddress(textOf(text, 'address')) ?? [])
    return { referenceName: textOf(record['referenceName'], 'referenceName'), addresses }
  } catch {
    return undefined
  }
}
