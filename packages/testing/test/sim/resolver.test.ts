import type { Duration } from '@breakwater/core'
import { SimulatedNameService, VirtualClock, address, resolverContract } from '../../src/index.ts'

resolverContract('simulated', () => {
  const clock = new VirtualClock()
  const service = new SimulatedNameService(clock)
  const dead = new SimulatedNameService(clock)
  dead.isDead = true
  const both = {
    kind: 'addresses',
    addresses: [address('192.0.2.1'), address('2001:db8::1')],
    ttlSeconds: 300
  } as const
  service.names.set('both.example', both)
  service.names.set('alias.example', both)
  service.names.set('four.example', { kind: 'addresses', addresses: [address('192.0.2.4')], ttlSeconds: 300 })
  service.names.set('empty.example', { kind: 'addresses', addresses: [], ttlSeconds: 300 })
  return Promise.resolve({
    open: (limit: Duration) => Promise.resolve(service.resolver(limit)),
    openDead: (limit: Duration) => Promise.resolve(dead.resolver(limit)),
    pass: (duration: Duration) => clock.advance(duration),
    close: () => Promise.resolve()
  })
})
