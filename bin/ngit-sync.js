#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8'
import { main } from '../dist/cli/main.js'

// A long run makes much garbage and keeps little: collected early, it costs a quarter of the memory less (docs/benchmarks.md).
// The start keeps what it loads, so there it would only cost time.
const START_MS = 500
setTimeout(() => setFlagsFromString('--optimize-for-size'), START_MS).unref()
process.exitCode = await main()
