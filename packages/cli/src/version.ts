/** The version of all packages of the suite; a test compares it with package.json. */
export const VERSION = '0.1.0'
