import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'

const source = join(import.meta.dirname, 'native/disk-killer.cc')

/** The library to preload, compiled unless that was done from this very source. */
export function buildDiskKiller(): string {
  const digest = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16)
  const folder = join(import.meta.dirname, 'build')
  const built = join(folder, `disk-killer-${digest}.so`)
  if (existsSync(built)) return built
  mkdirSync(folder, { recursive: true })
  const fresh = `${built}.${process.pid}`
  const flags = ['-std=c++20', '-O2', '-fPIC', '-shared', '-Wall', '-Wextra']
  execFileSync(process.env['CXX'] ?? 'g++', [...flags, source, '-o', fresh, '-ldl'], { stdio: 'inherit' })
  // Two campaigns may start at once: neither may load the half-written file of the other.
  renameSync(fresh, built)
  return built
}
