import type { CompletedCommand, CompletedOption, Values } from './completion-model.ts'

/** The script for fish 3: to be sourced, or to stand in a directory of completions as `ngit-sync.fish`. */
export function renderFish(commands: readonly CompletedCommand[]): string {
  return `# fish completion for ngit-sync, made by: ngit-sync completion fish

# Names that ngit-sync knows; fish quotes them.
function __ngit_sync_names
    command ngit-sync __complete $argv[1] (commandline -opc)[2..-1] 2>/dev/null
end

complete -c ngit-sync -f
${commands.map(({ name, help }) => `complete -c ngit-sync -n __fish_use_subcommand -a ${name} -d ${quote(help)}`).join('\n')}
complete -c ngit-sync -n __fish_use_subcommand -a help -d 'print the help of a command'
${commands.flatMap(argumentLine).join('\n')}
${groupByOption(commands).map(optionLine).join('\n')}
`
}

function argumentLine({ name, argument }: CompletedCommand): string[] {
  const values = valueArguments(argument)
  return values === '' ? [] : [`complete -c ngit-sync -n '__fish_seen_subcommand_from ${name}' ${values}`]
}

type Grouped = { readonly option: CompletedOption; readonly commands: readonly string[] }

function groupByOption(commands: readonly CompletedCommand[]): readonly Grouped[] {
  const options = commands.flatMap((command) => command.options)
  const unique = [...new Map(options.map((option) => [option.flag, option])).values()]
  return unique.map((option) => ({
    option,
    commands: commands.flatMap(({ name, options: own }) =>
      own.some(({ flag }) => flag === option.flag) ? [name] : [],
    ),
  }))
}

function optionLine({ option, commands }: Grouped): string {
  const { flag, short, help, values } = option
  const names = `${short === null ? '' : `-s ${short.slice(1)} `}-l ${flag.slice(2)}`
  const value = values.type === 'none' ? '' : ` ${valueArguments(values)}`
  return `complete -c ngit-sync -n '__fish_seen_subcommand_from ${commands.join(' ')}' ${names}${value} -d ${quote(help)}`
}

function valueArguments({ type, words, names }: Values): string {
  switch (type) {
    case 'words':
      return `-x -a ${quote(words.join(' '))}`
    case 'names':
      return `-x -a '(__ngit_sync_names ${names})'`
    case 'names or files':
      return `-r -F -a '(__ngit_sync_names ${names})'`
    case 'files':
      return '-r -F'
    case 'any':
      return '-x'
    case 'none':
      return ''
  }
}

function quote(text: string): string {
  return `'${text.replaceAll(/[\\']/g, (character) => `\\${character}`)}'`
}
