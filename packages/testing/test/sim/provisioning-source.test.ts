import { Seconds } from '@breakwater/core'
import { prefix } from '../../src/builders/address.ts'
import { provisioningSourceContract } from '../../src/contracts/provisioning-source.ts'
import { SimulatedProvisioningSource } from '../../src/sim/provisioning-source.ts'

provisioningSourceContract('simulated', () => {
  const source = new SimulatedProvisioningSource()
  return {
    source,
    say: (said) =>
      source.say(said.interface, {
        interface: said.interface,
        origin: 'ra',
        prefixes: [
          {
            prefix: prefix(said.prefix),
            valid: Seconds(said.validSeconds),
            preferred: Seconds(said.preferredSeconds)
          }
        ],
        addresses: [],
        resolvers: [],
        gateways: [],
        searchDomains: []
      }),
    unsay: (via) => source.unsay(via),
    close: () => undefined
  }
})
