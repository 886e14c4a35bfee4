import type { Attack, Family } from '../attack.ts'
import { slow } from './slow.ts'
import type { TlsWorld } from './tls-world.ts'

type TcpAttack = Attack<TlsWorld>

const failed = { counter: 'tls_handshakes_failed_total' }
const ended = { counter: 'dots_server_streams_ended_total' }

const by = (
  who: TcpAttack['who'],
  name: string,
  after: string,
  source: string,
  answer: string,
  trace: TcpAttack['trace'],
  run: TcpAttack['run']
): TcpAttack => ({ name, who, after, source, answer, trace, run })

const csm = [0x00, 0xe1]

/** Over TLS by a good key: says this, and is shown the door. */
function abuse(name: string, after: string, source: string, bytes: readonly number[]): TcpAttack {
  return by('client', name, after, source, 'Abort, and the end of the connection', ended, async (world) => {
    const { socket } = world.tls()
    socket.write(Uint8Array.from(bytes))
    await world.expectEnd(socket)
  })
}

/** What is no TLS, or not by the key. */
function stranger(name: string, source: string, bytes: Uint8Array): TcpAttack {
  return by(
    'stranger',
    name,
    'an answer to who has proved nothing',
    source,
    'an alert at most, and the end',
    failed,
    (world) => world.expectEnd(world.tcp(bytes))
  )
}

/** TLS over TCP and CoAP in it: who comes without a key, and who has one and abuses it. */
export const overTcp: Family<TlsWorld> = {
  title: 'Strangers and clients over TCP',
  against: 'a real `dots server` process',
  attacks: [
    stranger('web browser', 'RFC 8323 §8', Buffer.from('GET / HTTP/1.1\r\nHost: dots\r\n\r\n')),
    stranger('CoAP in clear text', 'RFC 8323 §11; RFC 9132 §7.1', Uint8Array.from([...csm, 0x00, 0xe2])),
    stranger(
      'record of 64 kB',
      'RFC 8446 §5.1',
      Uint8Array.from([22, 3, 1, 0xff, 0xff, ...Array.from({ length: 2000 }, () => 1)])
    ),
    by(
      'stranger',
      'key by guessing over TCP',
      'a session by trying keys',
      'RFC 4279 §2',
      'alert',
      failed,
      (world) => world.expectEnd(world.tls({}, Buffer.alloc(32, 0x77)).socket)
    ),
    by(
      'stranger',
      'another protocol by ALPN',
      'a peer that is made to speak what it does not',
      'RFC 8323 §8.2; ALPACA (USENIX Security 2021)',
      'alert',
      failed,
      (world) => world.expectEnd(world.tls({ ALPNProtocols: ['http/1.1'] }).socket)
    ),
    abuse('frame of 4 GB', 'memory for a message that never comes', 'RFC 8323 §3.2, §5.3.1', [
      ...csm,
      0xf0,
      0xff,
      0xff,
      0xff,
      0xff,
      0x02
    ]),
    abuse(
      'request before the CSM',
      'an answer from a peer that was never agreed with',
      'RFC 8323 §3.3',
      [0x00, 0x01]
    ),
    abuse('token of 15 bytes', 'a token that is longer than any', 'RFC 8323 §3.2', [...csm, 0x0f, 0x01]),
    abuse(
      'CSM with a critical option that nobody knows',
      'a peer that goes on regardless',
      'RFC 8323 §5.3',
      [0x10, 0xe1, 0x90]
    ),
    abuse('Abort', 'a session that is left half open', 'RFC 8323 §5.6', [...csm, 0x00, 0xe5]),
    abuse('Release', 'a session that is left half open', 'RFC 8323 §5.5', [...csm, 0x00, 0xe4]),
    ...slow
  ]
}
