import { Method } from '@breakwater/coap'
import type { Log } from '@breakwater/core'
import { mitigatePath } from '@breakwater/dots'
import { describe, expect, it } from 'vitest'
import { logEvent } from '../../src/server/event-log.ts'
import { CUID, ServerBed } from './server-bed.ts'

function linesOf(bed: ServerBed): string[] {
  const lines: string[] = []
  const write = (event: string): void => void lines.push(event)
  const log: Log = { debug: write, info: write, warn: write, error: write }
  for (const event of bed.events) logEvent(log, event)
  return lines.filter((event) => event === 'request.answered')
}

describe('the log of a server', () => {
  it('has the 1st, 2nd, 4th, 8th … of the requests of a session that change nothing', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    for (let count = 0; count < 100; count++) peer.request(Method.get, mitigatePath(CUID))
    expect(linesOf(bed)).toHaveLength(7)
    const other = bed.establish()
    other.request(Method.post, mitigatePath(CUID))
    expect(linesOf(bed)).toHaveLength(8)
  })

  it('has every request that changes something', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    for (let count = 0; count < 5; count++) {
      peer.put(count, { targetPrefix: [`192.0.2.${count}/32`], lifetime: 600 })
      peer.put(count, { targetPrefix: [`192.0.2.${count}/32`], lifetime: 900 })
    }
    expect(linesOf(bed)).toHaveLength(10)
  })
})
