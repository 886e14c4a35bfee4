import { createHash } from 'node:crypto'
import { ConfigError, UnavailableError, formatIpAddress, parseIpAddress } from '@breakwater/core'
import type { IpFamily } from '@breakwater/core'
import { FAMILIES, LINUX_MAIN_TABLE, routeWords, ruleWords } from '@breakwater/dots'
import type { ExitOwnership, ExitPlan, ExitProbe, ExitRoute, ExitRule, RouteAnswer } from '@breakwater/dots'
import { objectsIn, routeOf, ruleOf, textOf } from './ip-listing.ts'
import { must, refusalOf, run } from './run-program.ts'

/** So many tables after the first number are ours, and no other is read. */
const MOST_TABLES = 255

interface ExitState {
  readonly rules: readonly ExitRule[]
  readonly routes: readonly ExitRoute[]
  /** The nftables table as text; undefined: nft shows none. */
  readonly filter: string | undefined
}

/** What `apply` or `remove` changed. */
export interface ExitChange {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly filter: 'unchanged' | 'replaced' | 'removed'
}

/**
 * Puts a plan of exits into the Linux kernel with `ip` and `nft`. Only rules and routes that carry our protocol number, in
 * our tables, and our own nftables table are ever touched.
 */
export class LinuxExits {
  readonly #ownership: ExitOwnership

  constructor(ownership: ExitOwnership) {
    this.#ownership = ownership
  }

  /**
   * Makes the kernel do what the plan says: new routes and rules first, stale ones last, so that no source is without its
   * way in between; the filter in one transaction. On a failure everything is as it was before.
   * @throws UnavailableError when `ip` or `nft` refuse, or others have routes in our tables; ConfigError
   * (`EXITS_TOO_MANY`) for more providers than we have tables.
   */
  async apply(plan: ExitPlan): Promise<ExitChange> {
    const { table } = this.#ownership
    const beyond = plan.routes.find((route) => route.table > table + MOST_TABLES)
    if (beyond !== undefined)
      throw new ConfigError(
        'EXITS_TOO_MANY',
        `the site has more than ${MOST_TABLES} providers, and each needs a routing table of its own: split it`,
        []
      )
    return this.#become({
      rules: plan.rules,
      routes: plan.routes,
      filter: stamped(plan.filter, this.#ownership)
    })
  }

  /** Takes away all that is ours. */
  remove(): Promise<ExitChange> {
    return this.#become({ rules: [], routes: [], filter: undefined })
  }

  /** Whether the rules, routes and filter of a plan stand in the kernel. */
  async stands(plan: ExitPlan): Promise<boolean> {
    const before = await this.#read()
    const { add, remove } = this.#difference(before, plan)
    return add.length + remove.length === 0 && before.filter?.includes(stampOf(plan.filter)) === true
  }

  /** Asks the kernel by which way a packet would go. */
  async ask({ source, destination, arrival, mark }: ExitProbe): Promise<RouteAnswer> {
    const words = [
      '-json',
      `-${source.family}`,
      'route',
      'get',
      formatIpAddress(destination),
      'from',
      formatIpAddress(source)
    ]
    if (arrival !== undefined) words.push('iif', arrival)
    if (mark !== undefined) words.push('mark', String(mark))
    const { code, stdout, stderr } = await run('ip', words)
    if (code !== 0) return { fault: stderr.trim().split('\n')[0] ?? '' }
    const route = objectsIn(stdout)[0]
    const device = route?.['dev']
    if (typeof device !== 'string' || route?.['type'] === 'unreachable') return { fault: 'unreachable' }
    const gateway = parseIpAddress(textOf(route?.['gateway']))
    return gateway === undefined ? { interface: device } : { interface: device, gateway }
  }

  async #become(wanted: ExitState): Promise<ExitChange> {
    const before = await this.#read()
    try {
      return await this.#change(before, wanted)
    } catch (error) {
      await this.#undo(before, error)
      throw error
    }
  }

  async #undo(before: ExitState, cause: unknown): Promise<void> {
    try {
      await this.#change(await this.#read(), before)
    } catch (error) {
      const why = [cause, error].map((each) => (each instanceof Error ? each.message : String(each)))
      const message = why.join('; what was there before could not be put back: ')
      throw new UnavailableError('EXITS_HALF_APPLIED', message, false, { cause })
    }
  }

  async #change(before: ExitState, wanted: ExitState): Promise<ExitChange> {
    const { add, remove } = this.#difference(before, wanted)
    await batch(add)
    const filter = await this.#setFilter(before.filter, wanted.filter)
    await batch(remove)
    return { added: add.map(lineOf), removed: remove.map(lineOf), filter }
  }

  async #setFilter(before: string | undefined, wanted: string | undefined): Promise<ExitChange['filter']> {
    if (before === wanted || sameStamp(before, wanted)) return 'unchanged'
    const { nftTable } = this.#ownership
    // Naming the table first makes its deletion succeed where there is none; all of it is one transaction.
    const script = `table inet ${nftTable} {}\ndelete table inet ${nftTable}\n${wanted ?? ''}\n`
    await must('nft', ['-f', '-'], script)
    return wanted === undefined ? 'removed' : 'replaced'
  }

  #difference(
    before: Omit<ExitState, 'filter'>,
    wanted: Omit<ExitState, 'filter'>
  ): { add: Order[]; remove: Order[] } {
    const { protocol } = this.#ownership
    const rule = (each: ExitRule): Command => ({
      family: each.family,
      key: '',
      words: ruleWords(each, protocol),
      kind: 'rule'
    })
    const route = (each: ExitRoute): Command => ({
      family: each.family,
      key: `${each.table} ${each.metric}`,
      words: routeWords(each, protocol),
      kind: 'route'
    })
    const old = [...before.rules.map(rule), ...before.routes.map(route)]
    const young = [...wanted.routes.map(route), ...wanted.rules.map(rule)]
    // A route of the same table and metric was replaced, and is no longer there to be deleted.
    const isReplaced = (one: Command): boolean =>
      one.kind === 'route' &&
      young.some((each) => each.kind === 'route' && each.family === one.family && each.key === one.key)
    return {
      add: young
        .filter((one) => !isIn(old, one))
        .map((one) => ({ ...one, verb: one.kind === 'rule' ? 'add' : 'replace' })),
      remove: old
        .filter((one) => !isIn(young, one) && !isReplaced(one))
        .map((one) => ({ ...one, verb: 'del' }))
    }
  }

  async #read(): Promise<ExitState> {
    const { protocol, nftTable } = this.#ownership
    const rules: ExitRule[] = []
    const routes: ExitRoute[] = []
    for (const family of FAMILIES) {
      const listed = await must('ip', ['-N', '-json', `-${family}`, 'rule', 'show'])
      // Not by `protocol` on the command line: some releases of ip show the kernel's own rules all the same.
      const own = objectsIn(listed).filter((each) => String(each['protocol']) === String(protocol))
      rules.push(...own.map((each) => ruleOf(each, family)))
      routes.push(...(await this.#readRoutes(family)))
    }
    return { rules, routes, filter: await readFilter(nftTable) }
  }

  async #readRoutes(family: IpFamily): Promise<ExitRoute[]> {
    const { table, protocol } = this.#ownership
    const listed = await must('ip', ['-N', '-json', `-${family}`, 'route', 'show', 'table', 'all'])
    return objectsIn(listed).flatMap((each) => {
      const number = Number(each['table'] ?? LINUX_MAIN_TABLE)
      if (!(number > table && number <= table + MOST_TABLES)) return []
      if (String(each['protocol']) !== String(protocol))
        throw new UnavailableError(
          'EXITS_TABLE_TAKEN',
          `somebody else has a route in table ${number}: choose another exitRules.table`,
          false
        )
      return [routeOf(each, family, number)]
    })
  }
}

/**
 * The table as text; undefined where there is none. That there is none must be said by nft: without it, or without the
 * right to ask, nobody knows.
 */
async function readFilter(nftTable: string): Promise<string | undefined> {
  const { code, stdout, stderr } = await run('nft', ['-s', 'list', 'table', 'inet', nftTable])
  if (code === 0) return stdout.trim()
  if (stderr.includes('Error: No such file or directory')) return undefined
  throw refusalOf('nft', { code, stdout, stderr })
}

interface Command {
  readonly family: IpFamily
  readonly kind: 'rule' | 'route'
  readonly key: string
  readonly words: string
}

interface Order extends Command {
  readonly verb: 'add' | 'replace' | 'del'
}

function isIn(list: readonly Command[], { family, kind, words }: Command): boolean {
  return list.some((each) => each.family === family && each.kind === kind && each.words === words)
}

function lineOf({ family, kind, verb, words }: Order): string {
  return `ip -${family} ${kind} ${verb} ${words}`
}

async function batch(orders: readonly Order[]): Promise<void> {
  for (const family of FAMILIES) {
    const lines = orders
      .filter((one) => one.family === family)
      .map(({ kind, verb, words }) => `${kind} ${verb} ${words}\n`)
    if (lines.length > 0) await must('ip', [`-${family}`, '-batch', '-'], lines.join(''))
  }
}

/** A rule without effect at the end of the table tells of which plan it is: nft prints a table in words of its own. */
function stamped(filter: string, { nftTable }: ExitOwnership): string {
  return `${filter}\ntable inet ${nftTable} {\n  chain plan {\n    return comment "${stampOf(filter)}"\n  }\n}`
}

function stampOf(filter: string): string {
  return `plan ${createHash('sha256').update(filter).digest('hex').slice(0, 32)}`
}

function sameStamp(one: string | undefined, other: string | undefined): boolean {
  const pattern = /"(plan [0-9a-f]{32})"/
  const stamp = pattern.exec(one ?? '')?.[1]
  return stamp !== undefined && stamp === pattern.exec(other ?? '')?.[1]
}
