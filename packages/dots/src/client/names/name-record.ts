import {
  DecodeError,
  Seconds,
  encodeUtf8,
  formatIpAddress,
  inSeconds,
  parseIpAddress
} from '@breakwater/core'
import type { IpAddress } from '@breakwater/core'
import type { RecordChange } from '../../domain/record-store.ts'
import { listOf, parseRecord, textOf, wholeOf } from '../memory/json-record.ts'
import { MOST_ADDRESSES_PER_NAME } from './name-memory.ts'
import type { RememberedName } from './name-memory.ts'

/** Collection of the record store with what names meant last. */
export const NAMES = 'names'

/** What is to be stored of a name; undefined: nothing any more. */
export function nameChange(name: string, record: RememberedName | undefined): RecordChange {
  return record === undefined
    ? { kind: 'delete', collection: NAMES, key: name }
    : { kind: 'put', collection: NAMES, key: name, value: encodeName(record) }
}

function encodeName({ addresses, lifetime }: RememberedName): Uint8Array {
  const lifetimeSeconds = Math.round(inSeconds(lifetime))
  return encodeUtf8(
    JSON.stringify({ version: 1, addresses: addresses.map(formatIpAddress), lifetimeSeconds })
  )
}

/**
 * Reads what a name meant last.
 * @throws DecodeError `DOTS_CLIENT_RECORD_INVALID` when it is no record of a name.
 */
export function decodeName(value: Uint8Array): RememberedName {
  const record = parseRecord(value)
  const addresses = listOf(record['addresses'], 'addresses').map(addressOf)
  if (addresses.length > MOST_ADDRESSES_PER_NAME) throw damaged('there are too many addresses')
  return { addresses, lifetime: Seconds(wholeOf(record['lifetimeSeconds'], 'lifetimeSeconds', 0)) }
}

function addressOf(value: unknown): IpAddress {
  const address = parseIpAddress(textOf(value, 'addresses'))
  if (address === undefined) throw damaged('an address is none')
  return address
}

function damaged(what: string): DecodeError {
  return new DecodeError('DOTS_CLIENT_RECORD_INVALID', `a stored name is damaged: ${what}`)
}
