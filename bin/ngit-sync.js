#!/usr/bin/env node
import { main } from '../dist/cli/main.js'

// A long run makes much garbage and keeps little. Its heap may grow by half between collections: that costs a fifth
// less memory than the default, and no more time (docs/benchmarks.md). A short run would only start later: once a flag
// is set, Node compiles each of its own modules anew.
setTimeout(async () => (await import('node:v8')).setFlagsFromString('--heap-growing-percent=50'), 1_000).unref()
process.exitCode = await main()
