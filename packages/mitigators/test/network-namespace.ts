import { execFileSync } from 'node:child_process'

/** A network namespace of one test's own: nothing that it does to nftables is seen outside. */
export interface NetworkNamespace {
  /** What must stand before a command for it to run inside. */
  readonly prefix: readonly string[]
  run(...command: readonly string[]): string
  delete(): void
}

let counter = 0

/** Why the kernel's nftables cannot be tested here; undefined when it can. */
export const obstacle: string | undefined = findObstacle()

export function createNamespace(): NetworkNamespace {
  const name = `bw-mitigator-${process.pid}-${counter++}`
  execFileSync('ip', ['netns', 'add', name])
  const prefix = ['ip', 'netns', 'exec', name]
  return {
    prefix,
    run: (...command) => execFileSync('ip', ['netns', 'exec', name, ...command], { encoding: 'utf8' }),
    delete: () => execFileSync('ip', ['netns', 'del', name])
  }
}

function findObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root'
  try {
    const namespace = createNamespace()
    try {
      namespace.run('nft', 'list', 'ruleset')
    } finally {
      namespace.delete()
    }
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
