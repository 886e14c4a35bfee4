import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEFAULT_EXIT_OWNERSHIP } from '@breakwater/dots'
import type { ExitPlan } from '@breakwater/dots'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LinuxExits } from '../../src/exits/linux-exits.ts'

/** What a kernel says through `ip` and `nft`, played by scripts. */
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'breakwater-exits-'))
  vi.stubEnv('PATH', `${folder}:/usr/bin:/bin`)
  answer('nft', 'echo "Error: No such file or directory" >&2; exit 1')
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

function answer(program: 'ip' | 'nft', script: string): void {
  writeFileSync(join(folder, program), `#!/bin/sh\n${script}\n`)
  chmodSync(join(folder, program), 0o755)
}

const { table, protocol } = DEFAULT_EXIT_OWNERSHIP
const nothing = `echo '[]'`
const plan: ExitPlan = {
  ownership: DEFAULT_EXIT_OWNERSHIP,
  rules: [{ family: 4, priority: 4646, mark: 7, table: table + 1 }],
  routes: [{ family: 4, table: table + 1, metric: 1024, interface: 'wan1' }],
  filter: 'table inet breakwater_exits {\n}',
  problems: []
}

describe('the exits of a Linux router', () => {
  it('do not take a table in which somebody else has a route', async () => {
    const strange = `[{"dst":"10.0.0.0/8","dev":"lan","table":"${table + 3}","protocol":"static"}]`
    answer('ip', `case "$*" in *"-4 route show"*) echo '${strange}';; *) ${nothing};; esac`)
    const failure = {
      code: 'EXITS_TABLE_TAKEN',
      message: expect.stringContaining(String(table + 3)) as string
    }
    await expect(new LinuxExits(DEFAULT_EXIT_OWNERSHIP).apply(plan)).rejects.toMatchObject(failure)
  })

  it('say that they stand by halves, when a change fails and so does going back', async () => {
    const applied = join(folder, 'applied')
    const rule = `[{"priority":4646,"src":"all","fwmark":"0x7","table":"${table + 1}","protocol":"${protocol}"}]`
    answer(
      'ip',
      `case "$*" in
      *-batch*)
        cat >/dev/null
        test -e ${applied} && { echo "RTNETLINK answers: Operation not permitted" >&2; exit 1; }
        touch ${applied};;
      *"-4 rule show"*) test -e ${applied} && echo '${rule}' || ${nothing};;
      *) ${nothing};;
      esac`
    )
    answer(
      'nft',
      `case "$*" in
      *list*) echo "Error: No such file or directory" >&2;;
      *) cat >/dev/null; echo "Error: no room" >&2;;
      esac
      exit 1`
    )
    const message = 'nft: Error: no room; what was there before could not be put back: ip: RTNETLINK answers'
    const failure = { code: 'EXITS_HALF_APPLIED', message: expect.stringContaining(message) as string }
    await expect(new LinuxExits(DEFAULT_EXIT_OWNERSHIP).apply(plan)).rejects.toMatchObject(failure)
  })

  it('do not say "unchanged" of a filter that nobody could look at', async () => {
    answer('ip', nothing)
    answer('nft', 'echo "Operation not permitted (you must be root)" >&2; exit 1')
    await expect(new LinuxExits(DEFAULT_EXIT_OWNERSHIP).remove()).rejects.toMatchObject({
      code: 'EXITS_KERNEL_REFUSED',
      message: 'nft: Operation not permitted (you must be root)'
    })
    answer('nft', 'exec /nowhere/nft')
    await expect(new LinuxExits(DEFAULT_EXIT_OWNERSHIP).remove()).rejects.toMatchObject({
      code: 'EXITS_KERNEL_REFUSED'
    })
  })

  it('are refused for more providers than there are tables, before anything is touched', async () => {
    answer('ip', 'exit 1')
    const routes = Array.from({ length: 256 }, (_, index) => {
      return { family: 4 as const, table: table + 1 + index, metric: 1024, interface: `wan${index}` }
    })
    await expect(new LinuxExits(DEFAULT_EXIT_OWNERSHIP).apply({ ...plan, routes })).rejects.toMatchObject({
      code: 'EXITS_TOO_MANY',
      message: expect.stringContaining('more than 255 providers') as string
    })
  })
})
