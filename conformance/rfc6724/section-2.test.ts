import { ConfigError, Seconds, formatIpAddress } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { withAutomaticRows } from '../../packages/dots/src/multihoming/address-selection/automatic-rows.ts'
import { DEFAULT_POLICY } from '../../packages/dots/src/multihoming/address-selection/default-policy.ts'
import { PolicyTable } from '../../packages/dots/src/multihoming/address-selection/policy-table.ts'
import { EyeballsWorld } from '../../packages/dots/test/client/eyeballs-world.ts'
import {
  host,
  order,
  own,
  policyWith,
  row,
  sourceFor,
  to
} from '../../packages/dots/test/multihoming/selection-host.ts'
import { ip } from '../../packages/dots/test/multihoming/sites.ts'

/* RFC 6724 §2: what is done with several addresses; the policy table. */

describe('RFC 6724 §2', () => {
  it('a client whose first address of a server leads nowhere goes on to the next [RFC6724-2-S01]', async () => {
    const world = new EyeballsWorld()
    const [a] = EyeballsWorld.plainSite.domains
    const [dots] = a!.servers
    const addresses = ['2001:db8:ffff::dead', '2001:db8:ffff::1'].map(ip)
    const site = {
      ...EyeballsWorld.plainSite,
      domains: [{ ...a!, servers: [{ ...dots!, addresses, transports: ['udp'] as const }] }]
    }
    await world.start({ site })
    await world.advance(Seconds(2))
    const sent = world.trace.filter(({ from }) => from === 'site')
    const tried = sent.map(({ path }) => formatIpAddress(path.remote.address))
    expect([...new Set(tried)]).toEqual(['2001:db8:ffff::dead', '2001:db8:ffff::1'])
    expect(world.client.status().sessions[0]?.path?.remote).toContain('2001:db8:ffff::1')
    await world.close()
  })
})

describe('RFC 6724 §2.1', () => {
  it.each([
    ['::1', 50, 0],
    ['2001:db8::1', 40, 1],
    ['fe80::1', 40, 1],
    ['64:ff9b::c000:201', 40, 1],
    ['192.0.2.1', 35, 4],
    ['::ffff:192.0.2.1', 35, 4],
    ['2002:c000:201::1', 30, 2],
    ['2001::1', 5, 5],
    ['fd00::1', 3, 13],
    ['::192.0.2.1', 1, 3],
    ['fec0::1', 1, 11],
    ['3ffe::1', 1, 12]
  ])(
    'where nothing is configured, %s has precedence %i and label %i [RFC6724-2.1-S02]',
    (address, precedence, label) => {
      expect(DEFAULT_POLICY.lookUp(ip(address))).toMatchObject({ precedence, label })
    }
  )

  it('a configured table decides over destinations and sources in place of the default one [RFC6724-2.1-S01]', () => {
    const sources = ['2001:db8:a::1', '2001:db8:b::1', '10.0.0.1']
    const policy = policyWith(
      row('::ffff:0:0/96', 100, 4),
      row('2001:db8:b::/48', 41, 7),
      row('2001:db8:c::/48', 41, 7)
    )
    expect(order(host(sources), '192.0.2.1', '2001:db8:c::1')).toEqual([
      '2001:db8:c::1 from 2001:db8:a::1',
      '192.0.2.1 from 10.0.0.1'
    ])
    expect(order(host(sources, { policy }), '192.0.2.1', '2001:db8:c::1')).toEqual([
      '192.0.2.1 from 10.0.0.1',
      '2001:db8:c::1 from 2001:db8:b::1'
    ])
  })

  it('the longest matching row decides, however the rows are ordered', () => {
    const rows = [row('2001:db8::/32', 10, 20), row('::/0', 1, 1), row('2001:db8:a::/48', 30, 40)]
    for (const table of [new PolicyTable(rows), new PolicyTable(rows.toReversed())]) {
      expect(table.lookUp(ip('2001:db8:a::1')).label).toBe(40)
      expect(table.lookUp(ip('2001:db8:b::1')).label).toBe(20)
      expect(table.lookUp(ip('2001:db9::1')).label).toBe(1)
    }
  })

  it('an address that no row matches comes last, and goes with its like', () => {
    const table = new PolicyTable([row('2001:db8:a::/48', 7, 7)])
    expect(table.lookUp(ip('2001:db8:b::1'))).toEqual({ precedence: 0, label: undefined })
  })

  it('a prefix cannot have two rows, nor a prefix of global scope a zone', () => {
    expect(() => new PolicyTable([row('10.0.0.0/8', 1, 1), row('::ffff:10.0.0.0/104', 2, 2)])).toThrow(
      ConfigError
    )
    expect(() => new PolicyTable([row('2001:db8::/32', 1, 1, 'wan-a')])).toThrow(ConfigError)
  })

  it('unique local and native 6to4 prefixes of this host get rows of their own [RFC6724-2.1-O01]', () => {
    const locals = [own('fd11:1111:1111:1::1'), own('fd22:2222:2222:1::1'), own('2002:c633:6401:1::1')]
    const table = withAutomaticRows(DEFAULT_POLICY, [...locals, own('2001:db8::1'), own('10.0.0.1')])
    const added = table.rows.filter(({ prefix }) => prefix.length === 48)
    expect(added.map(({ precedence }) => precedence)).toEqual([45, 45, 45])
    expect(new Set(added.map(({ label }) => label)).size).toBe(3)
    expect(table.lookUp(ip('fd33:3333:3333::1')).precedence).toBe(3)
  })

  it('a 6to4 prefix whose interface is a tunnel gets none', () => {
    const tunnel = own('2002:c633:6401::1', { interface: { name: '6to4', isEncapsulating: true } })
    expect(withAutomaticRows(DEFAULT_POLICY, [tunnel]).rows).toHaveLength(9)
  })

  it('a configured row for the same prefix stays as it is [RFC6724-2.1-M01]', () => {
    const configured = policyWith(row('fd11:1111:1111::/48', 2, 99))
    const table = withAutomaticRows(configured, [own('fd11:1111:1111:1::1'), own('2001:db8::1')])
    expect(table.lookUp(ip('fd11:1111:1111:2::2'))).toMatchObject({ precedence: 2, label: 99 })
    expect(table.rows).toHaveLength(10)
    const context = host(['fd11:1111:1111:1::1', '2001:db8::1'], { policy: table })
    expect(order(context, 'fd11:1111:1111:2::2', '2001:db8::2')[0]).toBe('2001:db8::2 from 2001:db8::1')
  })

  it('a row for one zone matches addresses of that zone only [RFC6724-2.1-O02]', () => {
    const policy = policyWith(row('fe80::/10', 33, 20, 'wan-a'))
    expect(policy.lookUp(ip('fe80::1'), 'wan-a')).toMatchObject({ precedence: 33, label: 20 })
    expect(policy.lookUp(ip('fe80::1'), 'wan-b')).toMatchObject({ precedence: 40, label: 1 })
    expect(policy.lookUp(ip('fe80::1'))).toMatchObject({ precedence: 40, label: 1 })
    const sources = ['2001:db8::2', 'fe80::2']
    expect(order(host(sources, { policy }), 'fe80::1', '2001:db8::1')[0]).toBe('fe80::1 from fe80::2')
    const inZone = ['wan-a', 'wan-b'].map((name) => {
      const locals = sources.map((text) => own(text, { interface: { name } }))
      const route = { interface: { name } }
      return order(host(locals, { policy }), to('fe80::1', { route }), to('2001:db8::1', { route }))[0]
    })
    expect(inZone).toEqual(['2001:db8::1 from 2001:db8::2', 'fe80::1 from fe80::2'])
  })
})

describe('RFC 6724 §2.2', () => {
  it('bits beyond the prefix of the source do not count', () => {
    const locals = [own('2001:db8:0:0:8::1/64'), own('2001:db8:0:0:1::1/64')]
    expect(sourceFor(host(locals), '2001:db8::1:0:0:9')).toBe('2001:db8::8:0:0:1')
  })
})
