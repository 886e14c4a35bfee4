import { argumentOf, child } from './statement.ts'
import type { Statement } from './statement.ts'

/** Path of a data node → what is to be compared about it, as one line. */
export type Facts = Map<string, string>

/** Where the walk stands. */
interface Place {
  readonly path: string
  /** Who alone may send what stands here; empty: both. */
  readonly sender: string
  /** Key leaf of the list around it; empty: none. */
  readonly key: string
}

const integerRanges: Readonly<Record<string, readonly [number, number]>> = {
  uint8: [0, 0xff],
  uint16: [0, 0xffff],
  uint32: [0, 0xffff_ffff],
  int32: [-0x8000_0000, 0x7fff_ffff]
}

/** Types that are compared by name and length: their patterns, yanglint holds against the model (interop/yang.test.ts). */
const namedTypes = new Set([
  'boolean',
  'domain-name',
  'gauge64',
  'ip-address',
  'ip-prefix',
  'leafref',
  'string',
  'uint64',
  'uri',
  'zero-based-counter64'
])

/** Reads facts off YANG modules: groupings used, choices and cases looked through, typedefs resolved. */
export class ModuleReader {
  readonly #modules: ReadonlyMap<string, Statement>

  constructor(modules: readonly Statement[]) {
    this.#modules = new Map(modules.map((module) => [module.argument, module]))
  }

  /** The data nodes of a structure (RFC 8791); a case of its outermost choice counts as a container. */
  structure(moduleName: string, name: string): Facts {
    const module = this.#module(moduleName)
    const structure = module.inside.find(
      (statement) => statement.keyword.endsWith(':structure') && statement.argument === name
    )
    const facts: Facts = new Map()
    for (const choice of structure?.inside ?? [])
      for (const each of choice.inside.filter((statement) => statement.keyword === 'case')) {
        facts.set(each.argument, 'container')
        this.#walk(module, each.inside, { path: each.argument, sender: '', key: '' }, facts)
      }
    return facts
  }

  #walk(module: Statement, nodes: readonly Statement[], place: Place, facts: Facts): void {
    for (const node of nodes) {
      const path = `${place.path}/${node.argument}`
      if (node.keyword === 'uses') {
        const [owner, grouping] = this.#find(module, 'grouping', node.argument)
        this.#walk(owner, grouping.inside, place, facts)
      } else if (node.keyword === 'choice') this.#walk(module, node.inside, place, facts)
      else if (node.keyword === 'case')
        this.#walk(module, node.inside, { ...place, sender: node.argument.replace(/-only$/, '') }, facts)
      else if (node.keyword === 'leaf' || node.keyword === 'leaf-list')
        facts.set(path, this.#leafLine(module, node, place))
      else if (node.keyword === 'container' || node.keyword === 'list') {
        const key = argumentOf(node, 'key')
        facts.set(path, words(node.keyword, key === '' ? '' : `key ${key}`, mustLine(node), place.sender))
        this.#walk(module, node.inside, { path, sender: '', key }, facts)
      }
    }
  }

  #leafLine(module: Statement, leaf: Statement, { sender, key }: Place): string {
    const type = child(leaf, 'type')
    if (type === undefined) throw new Error(`${leaf.argument} has no type`)
    // RFC 7950 §7.8.2: an entry always has its key.
    const isMandatory = argumentOf(leaf, 'mandatory') === 'true' || leaf.argument === key
    return words(leaf.keyword, this.#type(module, type), isMandatory ? 'mandatory' : '', sender)
  }

  /** A type after all its typedefs, as one line. */
  #type(module: Statement, type: Statement): string {
    const name = type.argument.replace(/^.*:/, '')
    const range = integerRanges[name]
    if (range !== undefined) {
      const edges = (argumentOf(type, 'range') || range.join('..')).split('..').map(Number)
      return integerLine(edges[0] ?? 0, edges.at(-1) ?? 0)
    }
    if (name === 'union') return this.#union(module, type)
    if (name === 'enumeration') return enumerationLine(valuesOf(type))
    if (name === 'decimal64') return `decimal64 ${argumentOf(type, 'fraction-digits')}`
    if (namedTypes.has(name)) return words(name, this.#length(module, type))
    const [owner, typedef] = this.#find(module, 'typedef', type.argument)
    const target = child(typedef, 'type')
    if (target === undefined) throw new Error(`the typedef ${name} has no type`)
    return this.#type(owner, target)
  }

  /** Length of a text, which a leafref and a typedef take from where they point. */
  #length(module: Statement, type: Statement): string {
    const own = argumentOf(type, 'length')
    if (own !== '') return lengthLine(own)
    if (type.argument === 'leafref') return this.#targetLength(module, argumentOf(type, 'path'))
    if (!type.argument.includes(':')) return ''
    const [owner, typedef] = this.#find(module, 'typedef', type.argument)
    const target = child(typedef, 'type')
    return target === undefined ? '' : this.#length(owner, target)
  }

  /** Length of the leaf that the absolute path of a leafref leads to, all of whose steps are in one module. */
  #targetLength(module: Statement, path: string): string {
    const steps = path.split('/').filter((step) => step !== '')
    const owner = this.#imported(module, steps[0]?.split(':')[0] ?? '')
    let at = owner
    for (const step of steps) at = this.#dataNode(owner, at, step.replace(/^.*:/, ''))
    const type = child(at, 'type')
    return type === undefined ? '' : this.#length(owner, type)
  }

  #dataNode(module: Statement, parent: Statement, name: string): Statement {
    const inside = parent.inside.flatMap((inner) =>
      inner.keyword === 'uses' ? this.#find(module, 'grouping', inner.argument)[1].inside : [inner]
    )
    const found = inside.find(
      (inner) => inner.argument === name && ['container', 'list', 'leaf'].includes(inner.keyword)
    )
    if (found === undefined) throw new Error(`no data node ${name} in ${parent.argument}`)
    return found
  }

  /** Of integers only: one range from the least to the greatest. */
  #union(module: Statement, union: Statement): string {
    const lines = union.inside.map((member) => this.#type(module, member))
    const edges = lines.flatMap((line) => line.replace('integer ', '').split('..').map(Number))
    return integerLine(Math.min(...edges), Math.max(...edges))
  }

  /** A grouping or typedef by its name with prefix, and the module that it stands in. */
  #find(module: Statement, keyword: string, reference: string): readonly [Statement, Statement] {
    const [prefix, name] = reference.includes(':') ? reference.split(':') : ['', reference]
    const owner = prefix === '' ? module : this.#imported(module, prefix ?? '')
    const found = owner.inside.find((inner) => inner.keyword === keyword && inner.argument === name)
    if (found === undefined) throw new Error(`no ${keyword} ${reference} in ${owner.argument}`)
    return [owner, found]
  }

  #imported(module: Statement, prefix: string): Statement {
    const imported = module.inside.find(
      (statement) => statement.keyword === 'import' && argumentOf(statement, 'prefix') === prefix
    )
    return this.#module(imported?.argument ?? module.argument)
  }

  #module(name: string): Statement {
    const module = this.#modules.get(name)
    if (module === undefined) throw new Error(`the module ${name} was not read`)
    return module
  }
}

function valuesOf(type: Statement): [string, number][] {
  return type.inside
    .filter((inner) => inner.keyword === 'enum')
    .map((inner) => [inner.argument, Number(argumentOf(inner, 'value'))])
}

function mustLine(node: Statement): string {
  return node.inside.some((inner) => child(inner, 'must') !== undefined) ? 'must' : ''
}

export function integerLine(minimum: number, maximum: number): string {
  return `integer ${minimum}..${maximum}`
}

/** `1..64` */
export function lengthLine(range: string): string {
  return `length ${range}`
}

export function enumerationLine(values: readonly (readonly [string, number])[]): string {
  return `enumeration ${values.map(([name, value]) => `${name}=${value}`).join(' ')}`
}

/** The words that say something, with single blanks. */
export function words(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(' ')
}
