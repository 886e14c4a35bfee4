interface Lead {
  readonly server: string
  readonly fromMs: number
  readonly toMs: number
}

/** Who led when, by what the servers log: of any moment it must be one at most. */
export class LeadRecord {
  readonly #past: Lead[] = []

  /** Whether a server whose life is in this log leads now. */
  leads(log: string): boolean {
    return changesIn(log).at(-1)?.leads === true
  }

  /** When that began. */
  since(log: string): number {
    return changesIn(log).at(-1)?.atMs ?? Number.NaN
  }

  /** A life is over. */
  end(server: string, log: string, atMs: number): void {
    this.#past.push(...leadsIn(server, log, atMs))
  }

  /** In words, who led when another one did; of the lives that are over, and of these. */
  overlaps(living: readonly { readonly name: string; readonly log: string }[]): string[] {
    const now = Date.now()
    const all = [...this.#past, ...living.flatMap(({ name, log }) => leadsIn(name, log, now))]
    return all.flatMap((a) =>
      all
        .filter((b) => a.server < b.server && a.fromMs < b.toMs && b.fromMs < a.toMs)
        .map((b) => `${JSON.stringify(a)} and ${JSON.stringify(b)} led at one time`)
    )
  }
}

interface Change {
  readonly leads: boolean
  readonly atMs: number
}

function changesIn(log: string): Change[] {
  return log
    .split('\n')
    .filter((line) => line.includes('"server.leads"') || line.includes('"server.follows"'))
    .map((line) => ({
      leads: line.includes('"server.leads"'),
      atMs: new Date((JSON.parse(line) as { readonly time: string }).time).getTime()
    }))
}

function leadsIn(server: string, log: string, endMs: number): Lead[] {
  const changes = changesIn(log)
  return changes.flatMap(({ leads, atMs }, index) =>
    leads ? [{ server, fromMs: atMs, toMs: changes[index + 1]?.atMs ?? endMs }] : []
  )
}
