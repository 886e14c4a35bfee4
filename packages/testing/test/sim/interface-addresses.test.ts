import { interfaceAddressesContract } from '../../src/contracts/interface-addresses.ts'
import { SimulatedInterfaceAddresses } from '../../src/sim/interface-addresses.ts'

interfaceAddressesContract('the simulated host', () => {
  const addresses = new SimulatedInterfaceAddresses()
  for (const name of ['wan-a', 'wan-b']) addresses.setCarrier(name, true)
  return {
    addresses,
    add: (local) => addresses.add(local),
    remove: (local) => addresses.remove(local),
    setUp: (name, isUp) => addresses.setUp(name, isUp),
    setCarrier: (name, isUp) => addresses.setCarrier(name, isUp),
    close: () => undefined
  }
})
