import { formatIpAddress, UnavailableError } from '@breakwater/core'
import type { DefaultRouter } from '@breakwater/dots'
import { defaultRoutersContract } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { routersOfIpRoute } from '../../src/default-routers/ip-route.ts'
import { linuxDefaultRouters } from '../../src/default-routers/linux-default-routers.ts'
import { routersOfProcIpv6Route, routersOfProcRoute } from '../../src/default-routers/proc-route.ts'
import { obstacleOf } from '../two-link-namespace.ts'
import { linuxWorld } from './linux-world.ts'

function text({ interface: via, address }: DefaultRouter): string {
  return `${via} ${formatIpAddress(address)}`
}

const obstacle = obstacleOf()
if (obstacle === undefined) defaultRoutersContract('the routes of a Linux network namespace', linuxWorld)
else it.skip(`default routers of a Linux network namespace: ${obstacle}`, () => undefined)

describe('what ip says', () => {
  it('names routers of all tables, of single and of several next hops', () => {
    const routers = routersOfIpRoute(`[
      {"dst":"default","gateway":"192.0.2.1","dev":"wan-a","table":"101","flags":[]},
      {"dst":"default","metric":7,"flags":[],"nexthops":[
        {"gateway":"fe80::1","dev":"wan-a","weight":1,"flags":[]},
        {"gateway":"fe80::2","dev":"wan-b","weight":1,"flags":[]}]},
      {"dst":"default","via":{"family":"inet6","host":"fe80::9"},"dev":"wan-b","metric":3,"flags":["onlink"]}]`)
    expect(routers.map((each) => `${text(each)} ${each.metric}`)).toEqual([
      'wan-a 192.0.2.1 0',
      'wan-a fe80::1 7',
      'wan-b fe80::2 7',
      'wan-b fe80::9 3'
    ])
  })

  it.each([
    ['a link that is down', '[{"dst":"default","gateway":"192.0.2.1","dev":"wan-a","flags":["linkdown"]}]'],
    ['a route that goes to the link itself', '[{"dst":"default","dev":"ppp0","flags":[]}]'],
    ['another destination', '[{"dst":"10.0.0.0/8","gateway":"192.0.2.1","dev":"wan-a","flags":[]}]'],
    ['no address', '[{"dst":"default","gateway":"router","dev":"wan-a","flags":[]}]'],
    ['no interface', '[{"dst":"default","gateway":"192.0.2.1","flags":[]}]'],
    ['nothing at all', ''],
    ['no list', '{"dst":"default","gateway":"192.0.2.1","dev":"wan-a"}'],
    ['no route', '[null, 7, "default"]']
  ])('has no router in it when it is %s', (_what, json) => {
    expect(routersOfIpRoute(json)).toEqual([])
  })
})

const PROC_ROUTE = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
wan-a	00000000	030200C0	0003	0	0	5	00000000	0	0	0
wan-a	000200C0	00000000	0001	0	0	0	00FFFFFF	0	0	0
wan-b	00000000	016433C6	0002	0	0	0	00000000	0	0	0
`
const PROC_IPV6_ROUTE = `00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003    wan-a
20010db8000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001    wan-a
00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
`

describe('what /proc says', () => {
  it('names the routers of the default routes, and nothing else', () => {
    expect(routersOfProcRoute(PROC_ROUTE).map(text)).toEqual(['wan-a 192.0.2.3'])
    expect(routersOfProcIpv6Route(PROC_IPV6_ROUTE).map(text)).toEqual(['wan-a fe80::1'])
  })

  it('may be cut off or be something else', () => {
    for (const whole of [PROC_ROUTE, PROC_IPV6_ROUTE])
      for (let length = 0; length < whole.length; length += 7) {
        routersOfProcRoute(whole.slice(0, length))
        routersOfProcIpv6Route(whole.slice(0, length))
      }
    expect(routersOfProcRoute('wan-a 00000000 zz 0003 0 0 5 00000000')).toEqual([])
  })
})

describe('a host', () => {
  it('without ip falls back on /proc', async () => {
    const routers = linuxDefaultRouters({ ip: ['no-such-command-on-this-host'] })
    await expect(routers.read()).resolves.toBeInstanceOf(Array)
  })

  it('whose ip fails says so', async () => {
    const routers = linuxDefaultRouters({ ip: ['false'] })
    await expect(routers.read()).rejects.toBeInstanceOf(UnavailableError)
  })
})
