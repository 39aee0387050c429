/** A JSON Schema, as far as `report.schema.json` uses the language (docs/decisions/0020). */
export type Schema = {
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly propertyNames?: Schema
  readonly additionalProperties?: Schema
}

/** Returns the place of the first value that does not fit, as in `layers.0.fetched`; `undefined` when all fits. */
export function findMisfit(value: unknown, schema: Schema, place = ''): string | undefined {
  const choices = schema.anyOf ?? schema.oneOf
  if (choices !== undefined && !choices.some((choice) => findMisfit(value, choice) === undefined)) return place
  if (!hasType(value, schema) || !isAllowed(value, schema)) return place
  if (Array.isArray(value)) return firstOf(value, (each, index) => findIn(each, schema.items, place, String(index)))
  if (typeof value === 'object' && value !== null) return misfitOfFields(new Map(Object.entries(value)), schema, place)
  return undefined
}

function misfitOfFields(fields: ReadonlyMap<string, unknown>, schema: Schema, place: string): string | undefined {
  const { properties = {}, required = [], propertyNames, additionalProperties } = schema
  const lacking = required.find((name) => !fields.has(name))
  if (lacking !== undefined) return joined(place, lacking)
  return firstOf([...fields], ([name, value]) => {
    if (Object.hasOwn(properties, name)) return findIn(value, properties[name], place, name)
    return findIn(name, propertyNames, place, name) ?? findIn(value, additionalProperties, place, name)
  })
}

function findIn(value: unknown, schema: Schema | undefined, place: string, name: string): string | undefined {
  return schema === undefined ? undefined : findMisfit(value, schema, joined(place, name))
}

function hasType(value: unknown, { type }: Schema): boolean {
  if (type === undefined) return true
  return (typeof type === 'string' ? [type] : type).some((each) => isOfType(value, each))
}

function isOfType(value: unknown, type: string): boolean {
  if (type === 'null') return value === null
  if (type === 'array') return Array.isArray(value)
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value)
  return typeof value === type
}

function isAllowed(value: unknown, schema: Schema): boolean {
  if (schema.const !== undefined && value !== schema.const) return false
  if (schema.enum !== undefined && !schema.enum.includes(value)) return false
  return typeof value !== 'number' || (value >= (schema.minimum ?? -Infinity) && value <= (schema.maximum ?? Infinity))
}

function joined(place: string, name: string): string {
  return place === '' ? name : `${place}.${name}`
}

function firstOf<T>(items: readonly T[], find: (item: T, index: number) => string | undefined): string | undefined {
  for (const [index, item] of items.entries()) {
    const found = find(item, index)
    if (found !== undefined) return found
  }
  return undefined
}
