import { Seconds } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import type { Site } from '../../../src/domain/site.ts'
import { ProvisioningBook } from '../../../src/multihoming/provisioning/provisioning-book.ts'
import type { ProvisioningInput } from '../../../src/multihoming/provisioning/provisioning-book.ts'
import { learnt, rule } from '../../multihoming/provisioning/provisioning-world.ts'
import { domain, server, target } from '../../multihoming/sites.ts'
import { PlayedSite } from './played-site.ts'

/*
 *   isp-a 192.0.2.1   isp-b 192.0.2.2        their prefixes are leases
 *             wan-1 |   | wan-2
 *                  [ site ]
 */
const configured: Site = {
  domains: [1, 2].map((end) => {
    const name = end === 1 ? 'isp-a' : 'isp-b'
    return domain(name, {
      sources: [`192.0.2.${100 + end}`],
      interfaces: [`wan-${end}`],
      servers: [{ ...server(name, `192.0.2.${end}`), transports: ['udp'] }]
    })
  }),
  providerIndependent: []
}

/** A client whose site is what the book says. */
class LearningSite {
  readonly world = new PlayedSite(configured)
  readonly #book = new ProvisioningBook()

  constructor() {
    this.feed({
      kind: 'configured',
      site: configured,
      rules: [rule('isp-a', 'wan-1'), rule('isp-b', 'wan-2')]
    })
    this.feed({ kind: 'begin' })
  }

  lease(via: string, text: string, seconds: number): void {
    const configuration = learnt({ via, prefixes: [text], valid: seconds })
    this.feed({ kind: 'learnt', source: 'dhcp', key: via, configuration })
  }

  feed(input: ProvisioningInput): void {
    this.#book.handle(input, this.world.now)
    this.#drain()
  }

  pass(seconds: number): void {
    for (let passed = 0; passed < seconds * 10; passed++) {
      this.world.pass(Seconds(0.1))
      this.#book.handleTimeout(this.world.now)
      this.#drain()
    }
  }

  #drain(): void {
    for (let output = this.#book.poll(); output !== undefined; output = this.#book.poll())
      if (output.kind === 'site') this.world.change(output.site)
  }
}

describe('an attack on what was leased', () => {
  it('is asked about for as long as the lease holds, withdrawn when it ends, and asked again of whoever leases it next', () => {
    const site = new LearningSite()
    const { world } = site
    const asked = (name: string): number => world.standing.get(name)?.size ?? 0
    site.lease('wan-1', '198.51.100.0/28', 60)
    site.pass(10)
    world.protect('web', target('198.51.100.7/32'))
    site.pass(5)
    expect([world.state('web'), asked('isp-a'), asked('isp-b')]).toEqual(['protected', 1, 0])
    site.lease('wan-1', '198.51.100.0/28', 60)
    site.pass(55)
    // Renewed in time: nothing was noticed.
    expect([world.state('web'), asked('isp-a')]).toEqual(['protected', 1])
    site.pass(15)
    expect(asked('isp-a')).toBe(0)
    expect(world.state('web')).not.toBe('protected')
    site.lease('wan-2', '198.51.100.0/28', 600)
    site.pass(10)
    expect([world.state('web'), asked('isp-a'), asked('isp-b')]).toEqual(['protected', 0, 1])
    // At no moment did a provider hear of a prefix that was not its own.
    expect(world.wrong).toEqual([])
  })
})
