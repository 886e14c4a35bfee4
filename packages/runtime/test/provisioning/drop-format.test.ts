import { DecodeError, Seconds, WallTime, inSeconds } from '@breakwater/core'
import { ToldConfigurations } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { ageOf } from '../../src/provisioning/boot-clock.ts'
import { aged, decodeDrop, encodeDrop } from '../../src/provisioning/drop-format.ts'

/** As docs/protocol/provisioning.md shows it. */
const whole = {
  version: 1,
  domain: 'isp-a',
  interface: 'wan1',
  origin: 'dhcpv6',
  writtenAt: '2026-11-28T18:25:40Z',
  boot: { id: '5f7a6d8e-0b1c-4c3d-9f10-a1b2c3d4e5f6', uptimeSeconds: 1234.5 },
  prefixes: [{ prefix: '2001:db8:1::/56', validSeconds: 3600, preferredSeconds: 1800 }],
  addresses: [{ address: '203.0.113.5', validSeconds: 600 }],
  resolvers: [{ address: '203.0.113.1' }],
  gateways: [{ address: 'fe80::1', validSeconds: 1800 }],
  searchDomains: [{ name: 'isp-a.example' }]
}

function fault(change: Readonly<Record<string, unknown>>): string {
  try {
    decodeDrop(JSON.stringify({ ...whole, ...change }))
    return 'it was taken'
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError)
    return error instanceof Error ? error.message : ''
  }
}

describe('the format of the drop directory', () => {
  it('carries all that a provider gives', () => {
    const { configuration, writtenAt, boot } = decodeDrop(JSON.stringify(whole))
    const told = new ToldConfigurations()
    told.learnt('', configuration)
    expect(told.texts()).toEqual([
      'isp-a wan1 2001:db8:1::/56 203.0.113.5 dns 203.0.113.1 via fe80::1 in isp-a.example'
    ])
    expect(told.lifetimes()).toEqual([3600, 1800])
    expect(writtenAt).toBe(Date.UTC(2026, 10, 28, 18, 25, 40))
    expect(boot).toEqual(whole.boot)
  })

  it('comes back as it was written', () => {
    const once = decodeDrop(JSON.stringify(whole))
    expect(decodeDrop(encodeDrop(once))).toEqual(once)
  })

  it('takes all ones for infinity, and no lifetime for none that ends', () => {
    const { configuration } = decodeDrop(
      JSON.stringify({ ...whole, prefixes: [{ prefix: '2001:db8::/56', validSeconds: 0xffff_ffff }] })
    )
    expect(configuration.prefixes[0]?.valid).toBe('unlimited')
    expect(configuration.resolvers[0]?.valid).toBe('unlimited')
  })

  it.each([
    [{ version: 2 }, /^version must be 1/],
    [{ origin: 'dns' }, /^origin must be one of dhcpv4, dhcpv6, ra, pco, drop/],
    [{ domain: '../etc' }, /^domain is not what belongs there/],
    [{ domain: undefined, interface: undefined }, /"interface" must be there/],
    [{ interface: 'wan 1; reboot' }, /^interface is not/],
    [{ servers: ['192.0.2.1'] }, /^servers has no place here: DOTS servers are not learnt this way/],
    [{ prefix: [] }, /has the key "prefix", which is none of this format/],
    [{ prefixes: {} }, /^prefixes must be a list/],
    [{ prefixes: [7] }, /^prefixes\[0\] must be an object/],
    [{ prefixes: [{ prefix: '2001:db8::1/56' }] }, /^prefixes\[0\]\.prefix must be a prefix/],
    [
      { prefixes: [{ prefix: '2001:db8::/56', validSeconds: -1 }] },
      /validSeconds must be a number of seconds/
    ],
    [
      { prefixes: [{ prefix: '2001:db8::/56', validSeconds: '600' }] },
      /validSeconds must be a number of seconds/
    ],
    [
      { prefixes: [{ prefix: '2001:db8::/56', validSeconds: 60, preferredSeconds: 61 }] },
      /preferredSeconds must not be more than validSeconds/
    ],
    [{ prefixes: Array.from({ length: 65 }, () => ({ prefix: '2001:db8::/56' })) }, /65 items; at most 64/],
    [{ addresses: [{ address: '203.0.113.5/24' }] }, /^addresses\[0\]\.address must be an IP address/],
    [{ searchDomains: [{ name: 'a.example; rm -rf /' }] }, /^searchDomains\[0\]\.name is not/],
    [{ searchDomains: [{ name: '$(reboot)' }] }, /^searchDomains\[0\]\.name is not/],
    [{ writtenAt: 'yesterday' }, /^writtenAt must be a moment/],
    [{ boot: { id: 'x y', uptimeSeconds: 1 } }, /^boot\.id is not/],
    [{ boot: { id: 'a' } }, /^boot\.uptimeSeconds must be a number/]
  ])('refuses %j', (change, reason) => {
    expect(fault(change)).toMatch(reason)
  })

  it('shows no more than a little of what is wrong', () => {
    expect(fault({ interface: 'x'.repeat(10_000) }).length).toBeLessThan(120)
  })
})

describe('the age of what was written', () => {
  const now = { wallClock: WallTime(1_000_000), boot: { id: 'b', uptimeSeconds: 500 } }

  it('is told by the clock of the boot, whatever the calendar says', () => {
    const written = { at: WallTime(0), boot: { id: 'b', uptimeSeconds: 480 } }
    expect(inSeconds(ageOf(written, now))).toBe(20)
  })

  it('is told by the calendar after another boot', () => {
    const written = { at: WallTime(990_000), boot: { id: 'a', uptimeSeconds: 9000 } }
    expect(inSeconds(ageOf(written, now))).toBe(10)
  })

  it('is never less than none', () => {
    expect(ageOf({ at: WallTime(2_000_000) }, now)).toBe(0)
  })

  it('is taken off every lifetime', () => {
    const { configuration } = decodeDrop(JSON.stringify(whole))
    const told = new ToldConfigurations()
    told.learnt('', aged(configuration, Seconds(2000)))
    expect(told.lifetimes()).toEqual([1600, 0])
  })
})
