export { memoryStore } from './memory/memory-store.ts'
export { openSharedSqliteStore, openSqliteStore, type SqliteStoreOptions } from './sqlite/sqlite-store.ts'
