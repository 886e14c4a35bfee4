import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { UnavailableError, formatIpAddress, parseIpAddress, parseIpPrefix } from '@breakwater/core'
import type { IpFamily } from '@breakwater/core'
import { FAMILIES, routeWords, ruleWords } from '@breakwater/dots'
import type { ExitOwnership, ExitPlan, ExitProbe, ExitRoute, ExitRule, RouteAnswer } from '@breakwater/dots'

/** Most providers of a site, and so most tables of ours. */
const MOST_TABLES = 255

const TIMEOUT_MS = 10_000

interface ExitState {
  readonly rules: readonly ExitRule[]
  readonly routes: readonly ExitRoute[]
  /** The nftables table as text; undefined: there is none. */
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
   * @throws UnavailableError when `ip` or `nft` refuse, or others have routes in our tables.
   */
  apply(plan: ExitPlan): Promise<ExitChange> {
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
  ): { add: Command[]; remove: Command[] } {
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
    const isIn = (list: readonly Command[], one: Command): boolean =>
      list.some((each) => each.family === one.family && each.kind === one.kind && each.words === one.words)
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
    const { code, stdout } = await run('nft', ['-s', 'list', 'table', 'inet', nftTable])
    return { rules, routes, filter: code === 0 ? stdout.trim() : undefined }
  }

  async #readRoutes(family: IpFamily): Promise<ExitRoute[]> {
    const { table, protocol } = this.#ownership
    const listed = await must('ip', ['-N', '-json', `-${family}`, 'route', 'show', 'table', 'all'])
    return objectsIn(listed).flatMap((each) => {
      const number = Number(each['table'] ?? 254)
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

interface Command {
  readonly family: IpFamily
  readonly kind: 'rule' | 'route'
  readonly key: string
  readonly words: string
  readonly verb?: string
}

function lineOf({ family, kind, verb = 'add', words }: Command): string {
  return `ip -${family} ${kind} ${verb} ${words}`
}

async function batch(commands: readonly Command[]): Promise<void> {
  for (const family of FAMILIES) {
    const lines = commands
      .filter((one) => one.family === family)
      .map(({ kind, verb = 'add', words }) => `${kind} ${verb} ${words}\n`)
    if (lines.length > 0) await must('ip', [`-${family}`, '-batch', '-'], lines.join(''))
  }
}

function ruleOf(listed: Listed, family: IpFamily): ExitRule {
  const length = Number(listed['srclen'] ?? (family === 4 ? 32 : 128))
  const from = listed['src'] === 'all' ? undefined : parseIpPrefix(`${textOf(listed['src'])}/${length}`)
  return {
    family,
    priority: Number(listed['priority']),
    table: Number(listed['table']),
    ...(from === undefined ? {} : { from }),
    ...(listed['fwmark'] === undefined ? {} : { mark: Number(listed['fwmark']) }),
    ...(listed['suppress_prefixlen'] === undefined ? {} : { withoutDefault: true as const })
  }
}

/** RTN_UNREACHABLE */
const unreachable = '7'

function routeOf(listed: Listed, family: IpFamily, table: number): ExitRoute {
  const route = { family, table, metric: Number(listed['metric'] ?? 0) }
  if (String(listed['type']) === unreachable) return route
  const gateway = parseIpAddress(textOf(listed['gateway']))
  const found = { ...route, interface: textOf(listed['dev']) }
  return gateway === undefined ? found : { ...found, gateway }
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

type Listed = Readonly<Record<string, unknown>>

function objectsIn(text: string): Listed[] {
  const parsed: unknown = text.trim() === '' ? [] : JSON.parse(text)
  return Array.isArray(parsed)
    ? parsed.filter((each): each is Listed => typeof each === 'object' && each !== null)
    : []
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

async function must(program: 'ip' | 'nft', words: readonly string[], input = ''): Promise<string> {
  const { code, stdout, stderr } = await run(program, words, input)
  if (code === 0) return stdout
  const said = stderr.trim().split('\n')[0] ?? ''
  throw new UnavailableError(
    'EXITS_KERNEL_REFUSED',
    `${program}: ${said === '' ? `exit code ${code}` : said}`,
    false
  )
}

/** Runs a program to its end; its input comes through a shell, because nft cannot open the socket that Node gives. */
function run(
  program: string,
  words: readonly string[],
  input = ''
): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn('/bin/sh', ['-c', 'cat | "$@"', 'sh', program, ...words], {
      timeout: TIMEOUT_MS,
      env: { ...process.env, LC_ALL: 'C' }
    })
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.stdin.on('error', () => undefined).end(input)
    child.on('error', (error) => resolve({ code: -1, stdout, stderr: error.message }))
    child.on('close', (code) => resolve({ code: code ?? -1, stdout, stderr }))
  })
}
