import { execFileSync } from 'node:child_process'

let counter = 0

/** A network namespace with two links that are up, `wan-a` and `wan-b`, whose other ends are `far-wan-a` and `far-wan-b`. */
export class TwoLinkNamespace {
  readonly name: string

  /** @param purpose A part of its name. */
  constructor(purpose: string) {
    this.name = `bw-${purpose}-${process.pid}-${counter++}`
    execFileSync('ip', ['netns', 'add', this.name])
    for (const link of ['wan-a', 'wan-b']) {
      this.ip('link', 'add', link, 'type', 'veth', 'peer', 'name', `far-${link}`)
      this.ip('link', 'set', link, 'up')
      this.ip('link', 'set', `far-${link}`, 'up')
    }
  }

  /** What `ip` prints there. */
  ip(...words: readonly string[]): string {
    return execFileSync('ip', ['-n', this.name, ...words], { encoding: 'utf8', stdio: 'pipe' })
  }

  close(): void {
    execFileSync('ip', ['netns', 'del', this.name])
  }
}

/** Why no namespace can be made here; undefined when one can. */
export function obstacleOf(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root'
  try {
    new TwoLinkNamespace('try').close()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
