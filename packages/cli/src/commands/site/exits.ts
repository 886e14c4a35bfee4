import type { ExitCheckView } from '@breakwater/agents'
import { ExitCode } from '../../exit-code.ts'
import { reporter } from '../../output/report.ts'
import { hanging } from '../../output/table.ts'
import { usageError } from '../../usage-error.ts'

export interface ExitsOptions {
  readonly router?: string
  readonly check?: boolean
  readonly apply?: boolean
  readonly remove?: boolean
  readonly json?: boolean
}

/** `dots site exits FILE`: prints, checks, applies or removes what sends every source out by its own provider. */
export async function siteExits(file: string, options: ExitsOptions): Promise<ExitCode> {
  const { router, check, apply, remove } = options
  if ([check, apply, remove].filter((each) => each === true).length > 1)
    throw usageError('give one of --check, --apply and --remove')
  const { exitsOfSite, checkExits, applyExits, removeExits } = await import('@breakwater/agents')
  const report = reporter(options.json === true)
  if (check === true) {
    const view = await checkExits(file, router)
    report.result(view, () => checkLines(view))
    return view.paths.every(({ kind }) => kind === 'right') && view.applied ? ExitCode.ok : ExitCode.failed
  }
  if (apply === true || remove === true) {
    const change = apply === true ? await applyExits(file, router) : await removeExits(file, router)
    report.result(change, () => [
      ...change.added.map((line) => `+ ${line}`),
      ...change.removed.map((line) => `- ${line}`),
      `nftables table ${change.filter}`
    ])
    return ExitCode.ok
  }
  const view = exitsOfSite(file, router)
  // Comments, so that a shell can take the output as it is.
  report.result(view, () => [...view.problems.map(({ message }) => `# ${message}`), ...view.lines])
  return ExitCode.ok
}

function checkLines({ paths, applied, problems }: ExitCheckView): string[] {
  const right = paths.filter(({ kind }) => kind === 'right').length
  return [
    `${right} of ${paths.length} paths leave by their own provider; the rules of the plan ${applied ? 'stand' : 'do not stand'}`,
    ...paths.filter(({ kind }) => kind !== 'right').flatMap(({ kind, text }) => hanging(`${kind}: `, text)),
    ...problems.flatMap(({ message }) => hanging('problem: ', message))
  ]
}
