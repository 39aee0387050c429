import type { CompletedCommand, CompletedOption, Values } from './completion-model.ts'

/** The script for zsh: to be sourced, or to stand as `_ngit-sync` in a directory of `fpath`. */
export function renderZsh(commands: readonly CompletedCommand[]): string {
  return `#compdef ngit-sync
# zsh completion for ngit-sync, made by: ngit-sync completion zsh

# Adds names that ngit-sync knows; compadd quotes them.
_ngit_sync_names() {
  local -a names
  names=(\${(f)"$(command ngit-sync __complete $1 "\${(@)typed}" 2>/dev/null)"})
  compadd -a names
}

${NAME_FUNCTIONS}
_ngit-sync() {
  local -a commands typed=("\${(@)words[2,CURRENT-1]}")
  commands=(
${commands.map(({ name, help }) => `    ${quote(`${name}:${help}`)}`).join('\n')}
    'help:print the help of a command'
  )
  if ((CURRENT == 2)); then
    _describe -t commands command commands
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
${commands.map(commandCase).join('\n')}
    help) _describe -t commands command commands ;;
  esac
}

if [[ \${funcstack[1]} == _ngit-sync ]]; then
  _ngit-sync "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i }
  compdef _ngit-sync ngit-sync
fi
`
}

const NAME_FUNCTIONS = ['profiles', 'targets', 'sources', 'ends']
  .map((kind) => `_ngit_sync_${kind}() { _ngit_sync_names ${kind} }\n`)
  .concat(['targets', 'sources'].map((kind) => `_ngit_sync_${kind}_or_files() { _ngit_sync_names ${kind}; _files }\n`))
  .join('')

function commandCase({ name, options, argument }: CompletedCommand): string {
  const specs = [
    ...options.flatMap(optionSpecs),
    quote('(- *)--help[print the help]'),
    ...(argument.type === 'none' ? [] : [quote(`1:argument:${actionFor(argument)}`)]),
  ]
  return `    ${name})\n      _arguments -s \\\n        ${specs.join(' \\\n        ')}\n      ;;`
}

function optionSpecs({ flag, short, repeatable, help, values }: CompletedOption): string[] {
  const names = short === null ? [flag] : [flag, short]
  const value = values.type === 'none' ? '' : `${flag.slice(2)}:${actionFor(values)}`
  return names.map((name) => {
    const equals = values.type === 'none' || name === short ? '' : '='
    const rest = value === '' ? '' : `:${value}`
    return quote(`${repeatable ? '*' : `(${names.join(' ')})`}${name}${equals}[${escapeHelp(help)}]${rest}`)
  })
}

function actionFor({ type, words, names }: Values): string {
  switch (type) {
    case 'words':
      return `(${words.join(' ')})`
    case 'names':
      return `_ngit_sync_${names}`
    case 'names or files':
      return `_ngit_sync_${names}_or_files`
    case 'files':
      return '_files'
    case 'any':
    case 'none':
      return ' '
  }
}

function escapeHelp(help: string): string {
  return help.replaceAll(/[\\[\]:]/g, (character) => `\\${character}`)
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
