import type { ConfigOverview, ConfigProfile, ConfigValue } from '../config/config-overview.ts'
import { escapeForTerminal } from '../escape.ts'
import { maskUrls } from '../mask-url.ts'
import { createCanvas, hanging, joinBlocks, labelled, type Canvas, type RenderOptions } from './canvas.ts'
import { padText } from './text-width.ts'

const WIDEST_VALUE = 44

/** Renders the merged configuration: for each profile a line for each value, and where it comes from. */
export function renderConfig({ file, profiles, secrets }: ConfigOverview, options: RenderOptions): string {
  const canvas = createCanvas(options)
  const head = [
    ...labelled(canvas, 'file', escapeForTerminal(file ?? 'none: only flags, variables and defaults count')),
    ...secrets.flatMap((name) => labelled(canvas, 'secret', `${name} is set (its value is never shown)`)),
  ]
  const hidden = profiles.some(({ options: values }) => values.some(({ from }) => from === 'default'))
  const foot =
    hidden && !canvas.verbose
      ? hanging(canvas, '', 'everything else is at its default: --verbose shows it', canvas.dim)
      : []
  return joinBlocks([head, ...profiles.map((profile) => renderProfile(profile, canvas)), foot])
}

function renderProfile({ profile, options, refusals }: ConfigProfile, canvas: Canvas): string[] {
  const listed = options.filter(({ from }) => canvas.verbose || from !== 'default')
  const nameWidth = Math.max(...listed.map(({ name }) => name.length), 0)
  const widths = listed.flatMap(({ values }) => values.map((value) => shown(value).length))
  const valueWidth = Math.min(WIDEST_VALUE, Math.max(...widths, 0))
  const flag = profile === null ? '' : ` --profile ${profile}`
  return [
    ...labelled(canvas, 'profile', profile ?? 'none chosen', canvas.bold),
    ...(listed.length === 0 ? [' nothing is set'] : []),
    ...listed.flatMap((value) => renderValue(value, { nameWidth, valueWidth, profile, canvas })),
    ...refusals.flatMap((refusal) => hanging(canvas, ` catchup${flag} would say: `, refusal, canvas.warn)),
  ]
}

type Layout = {
  readonly nameWidth: number
  readonly valueWidth: number
  readonly profile: string | null
  readonly canvas: Canvas
}

/** The origin stands beside the first value of a list. */
function renderValue(value: ConfigValue, { nameWidth, valueWidth, profile, canvas }: Layout): string[] {
  return value.values.map((text, index) => {
    const name = padText(index === 0 ? value.name : '', nameWidth, 'left')
    const origin = index === 0 ? canvas.dim(originOf(value, profile)) : ''
    return ` ${name}  ${padText(shown(text), valueWidth, 'left')}  ${origin}`
  })
}

function originOf({ from, source, line }: ConfigValue, profile: string | null): string {
  switch (from) {
    case 'flag':
    case 'variable':
      return source ?? ''
    case 'profile':
      return `profile ${profile ?? ''}, line ${line ?? 0}`
    case 'defaults':
      return `defaults, line ${line ?? 0}`
    case 'default':
      return 'default'
  }
}

function shown(value: string): string {
  return escapeForTerminal(maskUrls(value))
}
