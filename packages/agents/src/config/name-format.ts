/** What is wrong with the name of a domain, a group, an alias or the like, or nothing. */
export function nameFault(text: string): string | undefined {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text)
    ? undefined
    : 'must be 1 to 64 letters, digits, dots, hyphens or underscores, the first a letter or digit'
}
