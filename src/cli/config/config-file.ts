import type { RawValues } from '../parse/raw-values.ts'

/** A configuration file, checked in its shape; the values themselves are parsed when a command uses them. */
export type ConfigFile = {
  readonly path: string
  readonly defaults: RawValues
  /** By their names, in the order of the file. */
  readonly profiles: ReadonlyMap<string, RawValues>
}
