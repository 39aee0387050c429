import { join } from 'node:path'

import type { CliOptions } from './run-cli.ts'

/** The environment of a run, with directories below a temporary one. */
export function buildEnvironment(temporary: string, { env, stateDir = temporary }: CliOptions): NodeJS.ProcessEnv {
  const { PATH, NODE_V8_COVERAGE } = process.env
  return {
    PATH,
    ...(NODE_V8_COVERAGE === undefined ? {} : { NODE_V8_COVERAGE }),
    HOME: temporary,
    XDG_STATE_HOME: stateDir,
    XDG_CONFIG_HOME: join(temporary, 'config'),
    XDG_CACHE_HOME: join(temporary, 'cache'),
    TZ: 'UTC',
    ...env,
  }
}
