import type { CompletedCommand, CompletedOption, Values } from './completion-model.ts'

/** The script for bash 3.2 and newer; it needs no other package. */
export function renderBash(commands: readonly CompletedCommand[]): string {
  const names = commands.map(({ name }) => name).join(' ')
  const repeatable = uniqueOptions(commands).filter((option) => option.repeatable)
  return `# bash completion for ngit-sync, made by: ngit-sync completion bash
${HELPERS}
# Adds what may stand after an option; fails if nothing may.
_ngit_sync_value() {
  case $1 in
${valueCases(commands).join('\n')}
    *) return 1 ;;
  esac
}

_ngit_sync_repeats() {
  [[ $1 == @(${repeatable.map(({ flag }) => flag).join('|')}) ]]
}

_ngit_sync_options() {
  case $1 in
${commands.map(optionsCase).join('\n')}
    help) _ngit_sync_words '${names}' ;;
  esac
}

_ngit_sync_commands() {
  _ngit_sync_words '${names} help --help --version'
}
${MAIN}`
}

const HELPERS = `
# Adds those of the words that start as the current one does. They come from this script alone.
_ngit_sync_words() {
  local word
  for word in $1; do [[ $word == "$cur"* ]] && COMPREPLY+=("$word"); done
}

# Adds names that ngit-sync knows. They are compared, and never expanded by the shell.
_ngit_sync_names() {
  local name
  while IFS= read -r name; do
    [[ -n $name && $name == "$cur"* ]] && COMPREPLY+=("$name")
  done < <(command ngit-sync __complete "$1" "\${words[@]:1}" 2>/dev/null)
}

_ngit_sync_files() {
  local name
  while IFS= read -r name; do
    COMPREPLY+=("$name")
    compopt -o filenames 2>/dev/null
  done < <(compgen -f -- "$cur")
}
`

const MAIN = `
_ngit_sync() {
  local line=\${COMP_LINE:0:COMP_POINT} cur='' option='' after=0 inline='' only='' word
  local -a words
  # Not COMP_WORDS: bash splits URLs at their colons.
  read -ra words <<<"$line"
  if [[ $line != *[[:space:]] ]]; then
    cur=\${words[\${#words[@]} - 1]}
    unset "words[\${#words[@]}-1]"
  fi
  COMPREPLY=()
  if ((\${#words[@]} < 2)); then
    _ngit_sync_commands
    return
  fi
  for word in "\${words[@]:2}"; do
    if [[ $word == -?* ]]; then
      option=$word
      after=0
    else
      after=$((after + 1))
    fi
  done
  if [[ $cur == --*=* ]]; then
    option=\${cur%%=*}
    cur=\${cur#*=}
    after=0
    inline=1
  fi
  if [[ -n $inline || $cur != -?* ]] && { ((after == 0)) || _ngit_sync_repeats "$option"; }; then
    _ngit_sync_value "$option" && ((after == 0)) && only=1
  fi
  [[ -z $only ]] && _ngit_sync_options "\${words[1]}"
  # bash replaces only what stands behind the last colon.
  [[ $COMP_WORDBREAKS == *:* ]] && COMPREPLY=("\${COMPREPLY[@]#"\${cur%"\${cur##*:}"}"}")
}

complete -F _ngit_sync ngit-sync
`

function optionsCase({ name, options, argument }: CompletedCommand): string {
  const words = [...options.flatMap(({ flag, short }) => [flag, ...(short === null ? [] : [short])]), '--help']
  const first = fillWith(argument)
  return `    ${name}) ${first === '' ? '' : `${first}; `}_ngit_sync_words '${words.join(' ')}' ;;`
}

function valueCases(commands: readonly CompletedCommand[]): string[] {
  return uniqueOptions(commands)
    .filter(({ values }) => values.type !== 'none')
    .map(({ flag, values }) => `    ${flag}) ${fillWith(values) || ':'} ;;`)
}

/** The calls that add what may stand there. */
function fillWith({ type, words, names }: Values): string {
  switch (type) {
    case 'words':
      return `_ngit_sync_words '${words.join(' ')}'`
    case 'names':
      return `_ngit_sync_names ${names}`
    case 'names or files':
      return `_ngit_sync_names ${names}; ((\${#COMPREPLY[@]})) || _ngit_sync_files`
    case 'files':
      return '_ngit_sync_files'
    case 'any':
    case 'none':
      return ''
  }
}

function uniqueOptions(commands: readonly CompletedCommand[]): readonly CompletedOption[] {
  const options = commands.flatMap((command) => command.options)
  return [...new Map(options.map((option) => [option.flag, option])).values()]
}
