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
| \`npm run hostile -- --table\` | writes this page from the catalogue |

What a peer may say wrongly without an intention (datagrams that are no CoAP, bodies that are no DOTS) is in
\`e2e/bad-*.test.ts\`; floods by one client are in \`e2e/flood.test.ts\`.

${catalogue.map(sectionOf).join('\n')}`
}
