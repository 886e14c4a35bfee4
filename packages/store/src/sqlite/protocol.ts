import type { LoadedCollection, RecordChange } from '@breakwater/dots'

/** Asked of the writer thread; `id` comes back with the answer. */
export type WriterRequest =
  | { readonly kind: 'commit'; readonly id: number; readonly changes: readonly RecordChange[] }
  | { readonly kind: 'load'; readonly id: number; readonly collection: string }
  | { readonly kind: 'close'; readonly id: number }

export type WriterAnswer =
  | { readonly kind: 'opened' }
  | { readonly kind: 'unopened'; readonly message: string }
  | { readonly kind: 'done'; readonly ids: readonly number[] }
  | { readonly kind: 'loaded'; readonly id: number; readonly loaded: LoadedCollection }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string }
