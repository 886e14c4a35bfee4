import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { engineSources } from '../../tools/engine-sources.ts'
import { engineFolder } from './bench-addon.ts'

const here = import.meta.dirname

function sources(): readonly string[] {
  const own = ['echo-server.h', 'echo-server.cc', 'program/main.cc'].map((name) => join(here, name))
  return [...engineSources(), join(engineFolder, 'test/read-file.h'), ...own]
}

/**
 * Compiles the echo server as a program of its own, unless that was done from these very sources: the product's engine in
 * C++ alone, on the OpenSSL of the system.
 * @returns undefined where the system has no OpenSSL 3.
 */
export function buildEchoProgram(): string | undefined {
  const all = sources()
  const digest = createHash('sha256')
  for (const file of all) digest.update(readFileSync(file))
  const folder = join(here, 'build')
  const built = join(folder, `echo-program-${digest.digest('hex').slice(0, 16)}`)
  if (existsSync(built)) return built
  mkdirSync(folder, { recursive: true })
  const headers = join(dirname(dirname(process.execPath)), 'include/node')
  const language = ['-std=c++20', '-O2', '-fno-exceptions', '-fno-rtti', '-isystem', headers]
  const units = all.flatMap((file) => (file.endsWith('.cc') ? ['-include', file] : []))
  // By their sonames: no package with headers is needed.
  const libraries = ['-l:libssl.so.3', '-l:libcrypto.so.3']
  const output = ['-x', 'c++', '/dev/null', '-o', built, '-x', 'none', ...libraries]
  try {
    execFileSync('g++', [...language, ...units, ...output], { stdio: ['ignore', 2, 2] })
  } catch {
    console.error('the echo program was not built: it needs g++ and the libraries of OpenSSL 3')
    return undefined
  }
  return built
}
