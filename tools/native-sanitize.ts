// node tools/native-sanitize.ts [--seconds N] [--records N] [--seed N]: compares our record layer with OpenSSL's, and runs
// the DTLS engine against a hostile wire, under AddressSanitizer and UndefinedBehaviorSanitizer. Ends with another status
// than 0 on a fault, and when it cannot run.
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { cppFilesIn, engineSources } from './engine-sources.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    records: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' }
  }
})

/** Compiles unless that was done from these very sources. Links the system's OpenSSL by its soname: no -dev package. */
function build(): string {
  const sources = [...engineSources(), ...cppFilesIn(join(root, 'packages/dtls/native/test'))]
  const digest = createHash('sha256')
  for (const file of sources) digest.update(readFileSync(file))
  const folder = join(root, 'packages/dtls/build')
  const program = join(folder, `stress-${digest.digest('hex').slice(0, 16)}`)
  if (existsSync(program)) return program
  mkdirSync(folder, { recursive: true })
  for (const old of readdirSync(folder)) if (old.startsWith('stress-')) rmSync(join(folder, old))
  const sanitizers = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all', '-fno-omit-frame-pointer']
  const headers = join(dirname(dirname(process.execPath)), 'include/node')
  const units = sources.flatMap((file) => (file.endsWith('.cc') ? ['-include', file] : []))
  const language = ['-std=c++20', '-O1', '-g', '-Wall', '-Wextra', '-fno-exceptions', '-isystem', headers]
  const output = [
    '-x',
    'c++',
    '/dev/null',
    '-o',
    program,
    '-x',
    'none',
    '-l:libssl.so.3',
    '-l:libcrypto.so.3'
  ]
  execFileSync(process.env['CXX'] ?? 'g++', [...language, ...sanitizers, ...units, ...output], {
    stdio: ['ignore', 2, 2]
  })
  return program
}

/** A self-signed certificate for both sides. */
function makeCertificate(folder: string): readonly [certificate: string, key: string] {
  const [certificate, key] = [join(folder, 'self.pem'), join(folder, 'self.key')]
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  const name = ['-subj', '/CN=stress', '-addext', 'subjectAltName=DNS:server.example']
  execFileSync(
    'openssl',
    ['req', '-x509', ...curve, '-keyout', key, '-out', certificate, '-days', '1', ...name],
    {
      stdio: 'pipe'
    }
  )
  return [certificate, key]
}

const folder = mkdtempSync(join(tmpdir(), 'breakwater-stress-'))
const [certificate, key] = makeCertificate(folder)
const done = spawnSync(build(), [values.seconds, values.records, values.seed, certificate, key], {
  stdio: 'inherit',
  env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=1', UBSAN_OPTIONS: 'print_stacktrace=1' }
})
rmSync(folder, { recursive: true, force: true })
if (done.status !== 0) console.error(`native-sanitize: FAILED (${done.signal ?? `status ${done.status}`})`)
process.exit(done.status ?? 1)
