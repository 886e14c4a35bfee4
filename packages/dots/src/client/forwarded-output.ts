import type { DotsServer } from '../domain/site.ts'
import type { AssociationOutput } from './association-io.ts'
import type { ClientOutput } from './client-io.ts'
import { changeFor } from './memory/client-records.ts'

/** What an association wants done without consequences for others. */
export type ForwardedOutput = Exclude<
  AssociationOutput,
  { kind: 'session-changed' | 'requests-changed' | 'path-decided' }
>

/** The same as the client wants it done: with the name of the server that it is about. */
export function forwarded(output: ForwardedOutput, { name, domain }: DotsServer): ClientOutput {
  switch (output.kind) {
    case 'connect':
    case 'send':
    case 'retime':
    case 'close':
      return output
    case 'remember':
      return { ...output, server: name }
    case 'resolve':
      return { ...output, server: name, domain }
    case 'note-request':
    case 'note-numbering':
      return { kind: 'store', change: changeFor(name, output) }
    case 'cuid-changed':
      return { kind: 'event', event: { kind: 'cuid-changed', server: name, domain } }
    case 'redirected':
    case 'redirect-refused':
    case 'alternate-unreachable':
    case 'configuration-unsafe':
    case 'malformed':
      return { kind: 'event', event: { ...output, server: name } }
  }
}
