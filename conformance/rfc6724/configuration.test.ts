import { formatIpAddress, silentLog } from '@breakwater/core'
import { legalPaths } from '@breakwater/dots'
import type { LocalAddress } from '@breakwater/dots'
import { SimulatedInterfaceAddresses, VirtualClock } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { Provisioning } from '../../packages/agents/src/client/provisioning.ts'
import { siteOfConfig } from '../../packages/agents/src/config/site-of-config.ts'
import { own } from '../../packages/dots/test/multihoming/selection-host.ts'

/* RFC 6724 §2 and §5: what an administrator can override, from the configuration of a client to the paths that it takes. */

type Config = Parameters<typeof siteOfConfig>[0]

const SERVER = 'fd11:1111:1111:9::53'

/** Where the client would leave from, the best first. */
async function sources(
  addressSelection: NonNullable<Config['addressSelection']>,
  locals: readonly LocalAddress[],
  server = SERVER
): Promise<string[]> {
  const dots = { name: 'dots.isp.example', addresses: [server], port: 4646, transports: ['udp' as const] }
  const { site } = siteOfConfig({ domains: [{ name: 'isp', server: dots }], addressSelection })
  const addresses = new SimulatedInterfaceAddresses()
  for (const local of locals) addresses.add(local)
  const clock = new VirtualClock()
  const options = { site, rules: [], sources: [], addresses, clock, log: silentLog }
  const provisioning = await Provisioning.begin(options)
  const known = provisioning.site
  await provisioning.close()
  const { paths } = legalPaths(known, known.domains[0]!.servers[0]!)
  return paths.map(({ source }) => formatIpAddress(source))
}

const publicOne = own('2001:db8:a::1')
const temporaryOne = own('2001:db8:a::2', { isTemporary: true })

describe('RFC 6724 §2', () => {
  it('the policy table and both flags are in the configuration [RFC6724-2-S02]', async () => {
    const locals = [own('2001:db8:a::1'), own('2001:db8:b::1')]
    const policy = [
      { prefix: '::/0', precedence: 40, label: 1 },
      { prefix: '2001:db8:b::/48', precedence: 40, label: 7 },
      { prefix: '2001:db8:c::/48', precedence: 40, label: 7 }
    ]
    const target = '2001:db8:c::53'
    expect((await sources({}, locals, target))[0]).toBe('2001:db8:a::1')
    expect((await sources({ policy }, locals, target))[0]).toBe('2001:db8:b::1')
    expect(await sources({ prefer: 'public' }, [publicOne, temporaryOne], target)).toEqual(['2001:db8:a::1'])
    const sites = [own('fd22:2222:2222:1::1', { isTemporary: true }), own('fd11:1111:1111:1::1')]
    expect((await sources({ automaticRows: false }, sites))[0]).toBe('fd22:2222:2222:1::1')
  })

  it('rows are added by themselves, until the administrator says no [RFC6724-2.1-S03]', async () => {
    // With rows of their own the two sites have labels of their own; without, privacy would decide.
    const locals = [own('fd22:2222:2222:1::1', { isTemporary: true }), own('fd11:1111:1111:1::1')]
    expect((await sources({}, locals))[0]).toBe('fd11:1111:1111:1::1')
    expect((await sources({ automaticRows: true }, locals))[0]).toBe('fd11:1111:1111:1::1')
    expect((await sources({ automaticRows: false }, locals))[0]).toBe('fd22:2222:2222:1::1')
  })
})

describe('RFC 6724 §5', () => {
  it('the administrator says whether temporary or public addresses are preferred [RFC6724-5-S01]', async () => {
    const locals = [publicOne, temporaryOne]
    const target = '2001:db8:a::53'
    expect(await sources({}, locals, target)).toEqual(['2001:db8:a::2'])
    expect(await sources({ prefer: 'temporary' }, locals, target)).toEqual(['2001:db8:a::2'])
    expect(await sources({ prefer: 'public' }, locals, target)).toEqual(['2001:db8:a::1'])
  })
})
