import { Method, encodeMessage } from '@breakwater/coap'
import { Milliseconds, Seconds } from '@breakwater/core'
import type { PeerId } from '@breakwater/core'
import { mitigatePath, parseCuid } from '@breakwater/dots'
import { expect, it } from 'vitest'
import { auditedEndpoints } from '../../src/audit/audited-endpoint.ts'
import type { AuditedDatagram } from '../../src/audit/audited-datagram.ts'
import { PacingAuditor } from '../../src/audit/pacing-auditor.ts'
import { RecordingHandlers } from '../../src/contracts/recording-handlers.ts'
import { SimulatedWorld } from '../sim/simulated-world.ts'

const cuid = parseCuid('dz6pHjaADkaFTbjr0JGBpw')

function question(token: number): Uint8Array {
  return encodeMessage({
    type: 'non-confirmable',
    code: Method.get,
    messageId: token,
    token: Uint8Array.of(token),
    options: cuid === undefined ? [] : mitigatePath(cuid),
    payload: new Uint8Array(0)
  })
}

/** A client and a server on a simulated network, both listened to. */
async function listen(taken: AuditedDatagram[]) {
  const world = new SimulatedWorld(1)
  const listened = (side: 'client' | 'server') =>
    auditedEndpoints(world.hosts[side].openSecureEndpoint, {
      clock: world.clock,
      role: side,
      pairOf: () => 'client and server',
      take: (datagram) => taken.push(datagram)
    })
  const served = new RecordingHandlers()
  const serverOptions = { local: { address: world.address('server', 4), port: 0 } }
  const server = await listened('server')(
    { role: 'server', certificate: world.certificate('server'), ...serverOptions },
    served
  )
  const handlers = new RecordingHandlers()
  const local = { address: world.address('client', 4), port: 0 }
  const credentials = world.certificate('client')
  const client = await listened('client')({ role: 'client', local, credentials }, handlers)
  const peer: PeerId = client.connect({ remote: server.local, serverName: world.serverName })
  await world.clock.advance(Seconds(1))
  const close = async (): Promise<void> => {
    await client.destroy()
    await server.destroy()
    await world.close()
  }
  return { world, client, peer, close }
}

it('shows the auditor both ends of every datagram, decrypted', async () => {
  const taken: AuditedDatagram[] = []
  const { world, client, peer, close } = await listen(taken)
  client.send(peer, question(1))
  await world.clock.advance(Seconds(1))
  expect(taken.map(({ when, direction, message }) => [when, direction, message?.kind])).toEqual([
    ['sent', 'to-server', 'handshake'],
    ['delivered', 'to-client', 'handshake'],
    ['sent', 'to-server', 'request'],
    ['delivered', 'to-server', 'request']
  ])
  expect(taken[2]?.bytes).toBe(question(1).length)
  await close()
})

it('lets the auditor catch what leaves too fast', async () => {
  const taken: AuditedDatagram[] = []
  const { world, client, peer, close } = await listen(taken)
  client.send(peer, question(1))
  await world.clock.advance(Milliseconds(5))
  client.send(peer, question(2))
  const broken: string[] = []
  const auditor = new PacingAuditor({ report: ({ rule }) => broken.push(rule) })
  for (const datagram of taken) auditor.take(datagram)
  expect(broken).toEqual(['request-pacing'])
  await close()
})
