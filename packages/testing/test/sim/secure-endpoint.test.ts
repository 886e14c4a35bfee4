import { secureEndpointContract } from '../../src/contracts/secure-endpoint.ts'
import { SimulatedWorld } from './simulated-world.ts'

secureEndpointContract('the simulated secure endpoint', () => Promise.resolve(new SimulatedWorld(1)))
