import { Validator, type OutputUnit, type Schema } from '@cfworker/json-schema'

/**
 * Says where a value does not fit a JSON Schema, and why, as in `layers.0.fetched: Instance type "string" is invalid.
 * Expected "integer".`; `undefined` when all fits. Names in it are those of the value: escape them (rule 7).
 */
export function findMisfit(value: unknown, schema: Schema): string | undefined {
  const { errors } = new Validator(schema, '2020-12').validate(value)
  // Each place comes after the one that it is in.
  const [first, ...others] = errors
  if (first === undefined) return undefined
  const { instanceLocation, error } = others.reduce(
    (deepest, each) => (isDeeper(each, deepest) ? each : deepest),
    first,
  )
  const place = instanceLocation.split('/').slice(1).join('.')
  return place === '' ? error : `${place}: ${error}`
}

function isDeeper({ instanceLocation: one }: OutputUnit, { instanceLocation: other }: OutputUnit): boolean {
  return one.split('/').length > other.split('/').length
}
