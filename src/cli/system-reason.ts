/** Why the system refused a file, in words and without its path, because the message already names it. */
export function systemReason(error: unknown): string {
  const { code } = error as { code?: string }
  switch (code) {
    case 'ENOENT':
      return 'no such file'
    case 'EACCES':
      return 'permission denied'
    case 'EISDIR':
      return 'it is a directory'
    default:
      return code ?? 'unknown error'
  }
}
