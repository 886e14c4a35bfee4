import type { TraceEntry } from '@breakwater/testing'
import { clientAt, serverAt } from '../layout.ts'
import type { Layout } from '../layout.ts'
import { StreamReader } from './streams.ts'
import { contentOf, contentOfStream } from './wire.ts'
import type { DatagramContent } from './wire.ts'

/** One datagram, or one message of a stream, between a site and a provider, when it leaves or arrives. */
export interface Traffic extends DatagramContent {
  readonly entry: TraceEntry
  readonly when: 'sent' | 'delivered'
  readonly direction: 'to-server' | 'to-client'
  /** Number of the client. */
  readonly site: number
  /** Number of the server. Undefined: nobody has the address that it goes to. */
  readonly provider: number | undefined
}

/** A packet of TCP that completes no message. */
const NO_MESSAGE: DatagramContent = { session: '', bytes: 0, audited: undefined, seen: undefined }

/** Reads a trace, each datagram once. */
export class TrafficReader {
  readonly #layout: Layout
  /** What is under way, by its number. */
  readonly #read = new Map<number, DatagramContent>()
  readonly #streams = { sent: new StreamReader('sent'), delivered: new StreamReader('delivered') }

  constructor(layout: Layout) {
    this.#layout = layout
  }

  /** Nothing for what neither leaves nor arrives; a packet of TCP may complete several messages. */
  read(entry: TraceEntry): readonly Traffic[] {
    const { fate } = entry
    if (fate.kind === 'dropped') this.#read.delete(entry.datagram)
    if (fate.kind !== 'sent' && fate.kind !== 'delivered') return []
    const when = fate.kind
    if (entry.transport === 'udp') return [this.#traffic(entry, when, this.#content(entry))]
    const { session, messages } = this.#streams[when].read(entry)
    if (messages.length === 0) return [this.#traffic(entry, when, NO_MESSAGE)]
    return messages.map((each) => this.#traffic(entry, when, contentOfStream(entry, session, each)))
  }

  #traffic(entry: TraceEntry, when: Traffic['when'], content: DatagramContent): Traffic {
    const { remote } = entry.path
    const [role, number] = splitName(entry.from)
    const common = { entry, when, ...content }
    return role === 'site'
      ? { ...common, direction: 'to-server', site: number, provider: serverAt(this.#layout, remote.address) }
      : { ...common, direction: 'to-client', site: clientAt(this.#layout, remote.address), provider: number }
  }

  #content(entry: TraceEntry): DatagramContent {
    const { datagram, fate } = entry
    const content = this.#read.get(datagram) ?? contentOf(entry)
    if (fate.kind === 'sent') this.#read.set(datagram, content)
    else this.#read.delete(datagram)
    return content
  }
}

function splitName(name: string): [role: string, number: number] {
  const dash = name.indexOf('-')
  return [name.slice(0, dash), Number(name.slice(dash + 1))]
}
