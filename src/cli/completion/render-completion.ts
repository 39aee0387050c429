import type { Shell } from '../parse/options.ts'
import { renderBash } from './render-bash.ts'
import { renderFish } from './render-fish.ts'
import { renderZsh } from './render-zsh.ts'
import { listCommands } from './completion-model.ts'

/** The completion script for a shell. It asks `ngit-sync __complete` for profiles, targets and sources. */
export function renderCompletion(shell: Shell): string {
  const commands = listCommands()
  switch (shell) {
    case 'bash':
      return renderBash(commands)
    case 'zsh':
      return renderZsh(commands)
    case 'fish':
      return renderFish(commands)
  }
}
