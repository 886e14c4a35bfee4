// Listens at the path of its first argument until it is killed.
import { createServer } from 'node:net'

createServer().listen(process.argv[2], () => process.send?.('listening'))
