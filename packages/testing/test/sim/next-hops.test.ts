import { address, prefix } from '../../src/builders/address.ts'
import { nextHopsContract } from '../../src/contracts/next-hops.ts'
import { SimulatedNextHops } from '../../src/sim/next-hops.ts'

nextHopsContract('the simulated host', () => {
  const onLink = ['192.0.2.0/24', '198.51.100.0/24', '2001:db8:a::/64'].map((each) => prefix(each))
  const nextHops = new SimulatedNextHops(onLink)
  return {
    nextHops,
    route: (source, router) => nextHops.route(address(source), router),
    close: () => undefined
  }
})
