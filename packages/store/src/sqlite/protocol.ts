import type {
  Beat,
  ChangesOfOthers,
  CommitOutcome,
  LoadedCollection,
  RecordChange,
  Revision
} from '@breakwater/dots'

/** What the writer thread is started with. */
export interface WriterOptions {
  readonly path: string
  readonly shared: boolean
}

/** What a commit was decided on. */
export interface AsOf {
  readonly seen: Revision
  readonly collection: string
}

/** Asked of the writer thread; `id` comes back with the answer. */
export type WriterRequest =
  | {
      readonly kind: 'commit'
      readonly id: number
      readonly changes: readonly RecordChange[]
      readonly asOf?: AsOf
    }
  | ({ readonly id: number } & Question)
  | { readonly kind: 'close'; readonly id: number }

/** What is answered at once. */
export type Question =
  | { readonly kind: 'load'; readonly collection: string }
  | { readonly kind: 'revision' }
  | { readonly kind: 'changes'; readonly asOf: AsOf }
  | { readonly kind: 'beat'; readonly notice: Uint8Array }

/** What a request may come to. */
export type Result = LoadedCollection | ChangesOfOthers | CommitOutcome | Beat | Revision

export type WriterAnswer =
  | { readonly kind: 'opened' }
  | { readonly kind: 'unopened'; readonly message: string }
  | { readonly kind: 'done'; readonly ids: readonly number[] }
  | { readonly kind: 'answered'; readonly id: number; readonly result: Result }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string; readonly isBusy: boolean }
