import { OptionNumber, stringOption, uriPath } from '@breakwater/coap'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mitigationId, parseCuid } from '../../src/domain/identifier.ts'
import {
  configPath,
  heartbeatPath,
  isHeartbeatPath,
  mitigatePath,
  parseResource
} from '../../src/signal/resource.ts'

const CUID = 'dz6pHjaADkaFTbjr0JGBpw'

function read(...segments: string[]): unknown {
  const resource = parseResource(segments.map((text) => stringOption(OptionNumber.uriPath, text)))
  return resource.ok ? resource.value : resource.problem.code
}

describe('RFC 9132 §4.2: paths', () => {
  it('names what it builds', () => {
    const cuid = parseCuid(CUID)
    const id = mitigationId(123)
    if (cuid === undefined || id === undefined) throw new Error('identifiers')
    const one = parseResource(mitigatePath(cuid, id))
    expect(one).toEqual({ ok: true, value: { kind: 'mitigate', cuid, mitigationId: id } })
    expect(parseResource(mitigatePath(cuid))).toEqual({
      ok: true,
      value: { kind: 'mitigate', cuid }
    })
    expect(parseResource(heartbeatPath())).toEqual({ ok: true, value: { kind: 'heartbeat' } })
    expect(parseResource(configPath())).toEqual({ ok: true, value: { kind: 'config' } })
  })

  it.each<[string[], string]>([
    [[], 'DOTS_SIGNAL_RESOURCE_UNKNOWN'],
    [['.well-known', 'core'], 'DOTS_SIGNAL_RESOURCE_UNKNOWN'],
    [['.well-known', 'dots', 'Mitigate'], 'DOTS_SIGNAL_RESOURCE_UNKNOWN'],
    [['.well-known', 'dots', 'hb', ''], 'DOTS_SIGNAL_PATH_PARAMETER_UNEXPECTED'],
    [
      ['.well-known', 'dots', 'mitigate', `cuid=${CUID}`, `cuid=${CUID}`],
      'DOTS_SIGNAL_PATH_PARAMETER_UNEXPECTED'
    ],
    [['.well-known', 'dots', 'mitigate', `CUID=${CUID}`], 'DOTS_SIGNAL_PATH_PARAMETER_UNEXPECTED'],
    [['.well-known', 'dots', 'mitigate', 'cuid=a/b'], 'DOTS_SIGNAL_CUID_INVALID'],
    [['.well-known', 'dots', 'mitigate', `cuid=${'a'.repeat(129)}`], 'DOTS_SIGNAL_CUID_INVALID'],
    [['.well-known', 'dots', 'mitigate', 'cuid=a', 'mid=1e3'], 'DOTS_SIGNAL_MID_INVALID'],
    [['.well-known', 'dots', 'config', 'sid='], 'DOTS_SIGNAL_SID_INVALID'],
    [['.well-known', 'dots', 'mitigate', 'a=1', 'b=2', 'c=3', 'd=4'], 'DOTS_SIGNAL_RESOURCE_UNKNOWN']
  ])('%j is %s', (segments, code) => {
    expect(read(...segments)).toBe(code)
  })

  it('bytes that are not UTF-8 are a problem, not a throw', () => {
    const result = parseResource([{ number: OptionNumber.uriPath, value: Uint8Array.of(0xc3, 0x28) }])
    expect(result).toMatchObject({ ok: false, problem: { code: 'DOTS_SIGNAL_PATH_INVALID', answer: 0x80 } })
  })

  it('whatever comes is read or refused', () => {
    const segment = fc.oneof(
      fc.constantFrom(
        '.well-known',
        'dots',
        'mitigate',
        'hb',
        'config',
        'cuid=a',
        'mid=1',
        'cdid=x',
        'sid=1'
      ),
      fc.string()
    )
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 8 }), (segments) => {
        const options = segments.map((text) => stringOption(OptionNumber.uriPath, text))
        const result = parseResource(options)
        if (!result.ok) expect([0x80, 0x84]).toContain(result.problem.answer)
        const heartbeat = result.ok && result.value.kind === 'heartbeat'
        expect(isHeartbeatPath(options)).toBe(heartbeat)
      })
    )
  })

  it('only /hb itself is the heartbeat path', () => {
    expect(isHeartbeatPath(heartbeatPath())).toBe(true)
    expect(isHeartbeatPath(uriPath('.well-known', 'dots', 'hb', 'x'))).toBe(false)
    expect(isHeartbeatPath(uriPath('.well-known', 'dots'))).toBe(false)
    expect(isHeartbeatPath(configPath())).toBe(false)
  })
})
