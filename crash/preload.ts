import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** NODE_OPTIONS that load modules of this folder into every thread, in this order. */
export function preloading(...names: readonly string[]): string {
  return names.map((name) => `--import=${pathToFileURL(join(import.meta.dirname, name)).href}`).join(' ')
}
