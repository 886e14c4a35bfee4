import { interfaceAddressesContract } from '../../src/contracts/interface-addresses.ts'
import { SimulatedInterfaceAddresses } from '../../src/sim/interface-addresses.ts'

interfaceAddressesContract('the simulated host', () => {
  const addresses = new SimulatedInterfaceAddresses()
  return {
    addresses,
    add: (local) => addresses.add(local),
    remove: (local) => addresses.remove(local),
    setUp: (name, isUp) => addresses.setUp(name, isUp),
    close: () => undefined
  }
})
