import { lstatSync, unlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { UnavailableError } from '@breakwater/core'
import { makeFolderOf } from '../make-folder.ts'

/**
 * Makes room for a UNIX socket: makes its folder, and removes a socket that a dead process left behind. Rejects with
 * `UnavailableError` when a living process listens there, when something else than a socket stands there, and when the
 * folder cannot be made.
 */
export async function claimSocketPath(path: string): Promise<void> {
  makeFolderOf(path)
  const status = lstatSync(path, { throwIfNoEntry: false })
  if (status === undefined) return
  if (!status.isSocket())
    throw new UnavailableError('CONTROL_SOCKET_NO_SOCKET', `${path} exists and is no socket`, false)
  if (await somebodyListens(path))
    throw new UnavailableError('CONTROL_SOCKET_IN_USE', `another agent listens at ${path}`, false)
  unlinkSync(path)
}

function somebodyListens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    // ECONNREFUSED: the file is there, the process is not. Any other reason: leave the file alone.
    probe.once('error', (error) => resolve(!('code' in error && error.code === 'ECONNREFUSED')))
  })
}
