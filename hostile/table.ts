import { catalogue } from './catalogue.ts'
import type { Entry, Listing } from './catalogue.ts'

const cell = (text: string): string => text.replaceAll('|', '\\|')

function traceOf({ trace }: Entry): string {
  if ('counter' in trace) return `\`${trace.counter}\``
  return 'event' in trace ? `event \`${trace.event}\`` : trace.none
}

function rowOf(attack: Entry): string {
  const { name, after, source, answer } = attack
  return `| ${[name, after, source, answer].map(cell).join(' | ')} | ${cell(traceOf(attack))} |`
}

function sectionOf({ title, against, attacks }: Listing): string {
  return `### ${title}: ${attacks.length}
Against ${against}.

| attack | what it is after | known from | what it gets | what is counted or logged |
|---|---|---|---|---|
${attacks.map(rowOf).join('\n')}
`
}

/** How many attacks there are, by who attacks. */
export function counts(): Readonly<Record<Entry['who'] | 'all', number>> {
  const all = catalogue.flatMap(({ attacks }) => attacks)
  const of = (who: Entry['who']): number => all.filter((attack) => attack.who === who).length
  return { all: all.length, stranger: of('stranger'), client: of('client'), server: of('server') }
}

/** Measured by `npm run hostile -- --honest 100`; by hand, as they are another machine's tomorrow. */
const honest = `### Honest handshakes during a flood
A real \`dots server\`, a client with a pre-shared key and ECDHE, 100 handshakes each, everything on two cores that twelve
other processes were busy with (2026-11-28). A test runs the first two with fewer; nobody may be left out, and nobody has to ask twice.

| flood of hellos | came in | median | p99 | p99 at rest, just before |
|---|---|---|---|---|
| 3,000 in a second from forged addresses, as far as the server can tell | 100 of 100 | 1.4 ms | 26 ms | 28 ms |
| 200 in a second that prove their address, each of which costs the server a whole flight | 100 of 100 | 1.5 ms | 56 ms | 44 ms |
| 3,000 in a second where \`limits.dtls.unverifiedHellosPerSecond\` allows 1,000; all 100 at once | 100 of 100 | 7.0 s | 7.1 s | – |

Above the budget, two of three hellos without a cookie are dropped unread, those of honest newcomers among them: who is unlucky
asks again after 1, 3 and 7 s. Sessions that stand are not touched, so clients keep theirs.`

/** `docs/protocol/hostile-peers.md` */
export function page(): string {
  const { all, stranger, client, server } = counts()
  return `<!-- Written by \`npm run hostile -- --table\`. -->

# Hostile peers

${all} attacks that are known by name: ${stranger} by strangers, who have proved nothing, ${client} by clients, ${server} by servers. Each is one test
(\`hostile/\`), which runs it against the real thing, looks at what the attacker gets, and sees afterwards that somebody
honest is served as before, that nothing of it is kept, and that no mistake of ours was logged.

| command | what it does |
|---|---|
| \`npm test hostile\` | all of them, and 200,000 spoofed hellos |
| \`npm run hostile -- --hellos 1000000\` | as many hellos from forged addresses; prints octets and packets out for each in, and how the resident memory grew |
| \`npm run hostile -- --honest 100\` | as many honest handshakes on a server at rest and during floods of hellos on loopback, 3,000 or 200 in a second; prints how long they took |
| \`npm run hostile -- --table\` | writes this page from the catalogue |

What a peer may say wrongly without an intention (datagrams that are no CoAP, bodies that are no DOTS) is in
\`e2e/bad-*.test.ts\`; floods by one client are in \`e2e/flood.test.ts\`. What a server makes of a control socket, of files that it
is to read again, and of a store that are not as they should be is in \`e2e/bad-control.test.ts\` and \`e2e/bad-store.test.ts\`.

${honest}

${catalogue.map(sectionOf).join('\n')}`
}
