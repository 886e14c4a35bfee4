import { OptionNumber, stringOption } from '@breakwater/coap'
import { describe, expect, it } from 'vitest'
import { parseContent, selectContent } from '../../src/signal/content.ts'

const CONFLICT = { conflictStatus: 2 }
const CONVEYED = { targetPrefix: ['192.0.2.0/24'], targetPortRange: [{ lowerPort: 80 }], lifetime: 5 }
const TOLD = {
  mitigationStart: 1n,
  status: 2,
  conflictInformation: CONFLICT,
  bytesDropped: 3n,
  bpsDropped: 4n,
  pktsDropped: 5n,
  ppsDropped: 6n
}
const ENTRY = { mid: 7, ...CONVEYED, ...TOLD }

describe('the part of a mitigation that a GET asks for', () => {
  it('configuration and state have the mid in common, and nothing else; together they are all', () => {
    expect(selectContent(ENTRY, 'configuration')).toEqual({ mid: 7, ...CONVEYED })
    expect(selectContent(ENTRY, 'state')).toEqual({ mid: 7, ...TOLD })
    expect(selectContent(ENTRY, 'all')).toEqual(ENTRY)
  })

  it('what is unknown does not appear', () => {
    expect(selectContent({ mid: 7, status: 2 }, 'state')).toEqual({ mid: 7, status: 2 })
  })

  it('no query asks for all, and bytes that are no text for nothing', () => {
    expect(parseContent([])).toEqual({ ok: true, value: 'all' })
    const junk = { number: OptionNumber.uriQuery, value: Uint8Array.of(0x63, 0x3d, 0xff) }
    expect(parseContent([junk])).toMatchObject({ ok: false, problem: { code: 'DOTS_SIGNAL_QUERY_INVALID' } })
    expect(parseContent([stringOption(OptionNumber.uriQuery, 'c=c')])).toEqual({
      ok: true,
      value: 'configuration'
    })
  })
})
