import { defaultRoutersContract } from '../../src/contracts/default-routers.ts'
import { SimulatedDefaultRouters } from '../../src/sim/default-routers.ts'

defaultRoutersContract('the simulated host', () => {
  const routers = new SimulatedDefaultRouters()
  return {
    routers,
    add: (router, metric) => routers.add(router, metric),
    addApart: (router) => routers.add(router),
    remove: (router) => routers.remove(router),
    close: () => undefined
  }
})
