import { UsageError } from '../errors.ts'
import type { Report } from '../report/report.ts'
import { createScriptTeller } from './tell-script.ts'
import { parseCommandLine, type CommandLine } from './parse/command-line.ts'
import { findKey, warnOn } from './find-key.ts'
import { nowSeconds, printReport, renderingFor, widthOf } from './print-report.ts'
import { runProfiles, tellingFailure, type Heading } from './run-profiles.ts'
import { wishOf } from './script-wish.ts'
import type { Surroundings } from './surroundings.ts'
import { toolVersion } from './tool-version.ts'

type StatusLine = Extract<CommandLine, { type: 'status' }>
type RelayLine = Extract<CommandLine, { type: 'relay' }>
type WhyLine = Extract<CommandLine, { type: 'why' }>
type MergeLine = Extract<CommandLine, { type: 'merge' }>
type ConfigLine = Extract<CommandLine, { type: 'config' }>

/** Runs the command line and returns the exit code. `argv`: the words after the program's name. */
export async function runProgram(argv: readonly string[], place: Surroundings): Promise<number> {
  const { env, stdout } = place
  const options = { version: toolVersion(), width: widthOf(stdout), warn: warnOn(place) }
  const tellScript = createScriptTeller(argv, place)
  const telling = { ...place, command: argv[0], tellScript }
  return tellingFailure(telling, async () => {
    const line = await parseCommandLine(argv, env, nowSeconds(), options)
    if (line.type === 'text' && line.exit !== 0) {
      await tellScript({ error: new UsageError(line.problems), exit: 2 }, line.wish)
    }
    if (line.type !== 'profiles') return tellingFailure(telling, () => dispatch(line, place), { wish: wishOf(line) })
    return runProfiles(line.lines, telling, (single, heading) => dispatch(single, place, heading))
  })
}

type SingleLine = Exclude<CommandLine, { type: 'profiles' }>

async function dispatch(line: SingleLine, place: Surroundings, heading?: Heading): Promise<number> {
  switch (line.type) {
    case 'text':
      if (line.stream === 'stdout') await writeText(place, line.text)
      else place.stderr.write(line.text)
      return line.exit
    case 'run':
      return (await import('./run-once.ts')).runOnce(line, place, heading)
    case 'status':
      place.stdout.write(line.output.json ? '' : (heading?.text ?? ''))
      return showStatus(line, place)
    case 'relay':
      place.stdout.write(line.output.json ? '' : (heading?.text ?? ''))
      return showRelay(line, place)
    case 'why':
      place.stdout.write(line.output.json ? '' : (heading?.text ?? ''))
      return showWhy(line, place)
    case 'merge':
      return showMerged(line, place)
    case 'config':
      return showConfig(line, place)
    case 'version':
      await writeText(place, (await import('./version-command.ts')).describeVersions(toolVersion()))
      return 0
    case 'completion':
      await writeText(place, (await import('./completion/render-completion.ts')).renderCompletion(line.shell))
      return 0
    case 'complete':
      await writeText(place, await (await import('./complete-command.ts')).listNames(line.words, place.env))
      return 0
    case 'demo': {
      const { runDemo } = await import('./demo.ts')
      return runDemo(line.output, place.interruption.signal, { print: printReport })
    }
  }
}

async function writeText({ stdout }: Surroundings, text: string): Promise<void> {
  await (await import('./write-output.ts')).writeOutput(stdout, text)
}

async function showStatus(
  { target, shard, list, output, ...line }: StatusLine,
  { env, stdout }: Surroundings,
): Promise<number> {
  const { stateFileOf, targetKeyOf } = await import('./state-place.ts')
  const status = await import('./status-command.ts')
  await status.showStatus({
    stateFile: stateFileOf(line.stateFile, env),
    wanted: target === undefined ? undefined : { target: targetKeyOf(target), shard },
    list,
    output,
    stream: stdout,
    rendering: renderingFor(output, stdout),
  })
  return 0
}

async function showRelay({ url, connection, output, ...line }: RelayLine, place: Surroundings): Promise<number> {
  const { stdout, interruption } = place
  const { runRelayCommand } = await import('./relay-command.ts')
  const key = await findKey(line.key, place)
  const inspection = await runRelayCommand({ url, connection, key, signal: interruption.signal })
  const text = output.json
    ? (await import('./render/render-json.ts')).renderJson(inspection)
    : (await import('./render/render-relay.ts')).renderRelay(inspection, renderingFor(output, stdout))
  await (await import('./write-output.ts')).writeOutput(stdout, text)
  return 0
}

async function showWhy(line: WhyLine, place: Surroundings): Promise<number> {
  const { stdout, interruption } = place
  const { output, connection, subject, options, isOffline } = line
  const { runWhy } = await import('./why-command.ts')
  const { stateFileOf } = await import('./state-place.ts')
  const { withNextStep } = await import('./render/why-steps.ts')
  const traced = await runWhy({
    ...{ subject, options, isOffline, connection, stdout },
    key: await findKey(line.key, place),
    stateFile: stateFileOf(line.stateFile, place.env),
    openStdin: () => place.stdin,
    signal: interruption.signal,
  })
  const report = withNextStep(traced, nowSeconds())
  const text = output.json
    ? (await import('./render/render-json.ts')).renderJson(report)
    : (await import('./render/render-why.ts')).renderWhy(report, renderingFor(output, stdout))
  await writeText(place, text)
  return interruption.exitCode() ?? report.exit
}

async function showMerged({ files, reportFile, output }: MergeLine, place: Surroundings): Promise<number> {
  const { stdout, interruption } = place
  const { runMerge } = await import('./merge/run-merge.ts')
  const merge = (): Promise<Report> => runMerge(files, { openStdin: () => place.stdin, signal: interruption.signal })
  const report =
    reportFile === undefined
      ? await merge()
      : await (await import('./page-command.ts')).writePage(reportFile, { command: 'merge-reports', files }, merge)
  await printReport(report, output, stdout)
  return report.exit
}

async function showConfig({ overview, output }: ConfigLine, place: Surroundings): Promise<number> {
  const { stdout } = place
  const text = output.json
    ? (await import('./render/render-json.ts')).renderJson(overview)
    : (await import('./render/render-config.ts')).renderConfig(overview, renderingFor(output, stdout))
  await writeText(place, text)
  return 0
}
