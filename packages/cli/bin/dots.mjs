#!/usr/bin/env node
// Plain JavaScript for any Node: it finds a Node that is new enough to run the rest.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import module from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major > 24 || (major === 24 && minor >= 11)) {
  module.enableCompileCache?.()
  const { main } = await import('../src/main.ts')
  await main(process.argv.slice(2))
} else {
  runWith(bundledNode())
}

/** The Node that came with the packages, in the nearest node_modules above this file. */
function bundledNode() {
  const own = join('node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node')
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, own)) && dirname(folder) !== folder) folder = dirname(folder)
  return existsSync(join(folder, own)) ? join(folder, own) : undefined
}

function runWith(node) {
  if (node === undefined) {
    console.error(`dots: needs Node 24.11 or newer, this is ${process.versions.node}`)
    process.exitCode = 1
    return
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' })
  // The agent behind it decides how it ends; this process only passes the word on.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === null ? 1 : 128)
  })
}
