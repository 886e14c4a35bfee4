import type { ResumableSession } from '@breakwater/core'
import type { NativeSession } from './addon.ts'
import { fromNative, toNative } from './native-address.ts'

export function sessionToNative(session: ResumableSession): NativeSession {
  return { ...session, remote: toNative(session.remote) }
}

export function sessionFromNative(session: NativeSession): ResumableSession {
  return { ...session, remote: fromNative(session.remote) }
}
