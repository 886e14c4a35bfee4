import { secureStreamContract } from '../../src/contracts/secure-stream.ts'
import { SimulatedStreamWorld } from './simulated-stream-world.ts'

secureStreamContract('the simulated stream endpoint', () => Promise.resolve(new SimulatedStreamWorld(1)))
