import { reasonOf } from '../errors.ts'

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file is too large',
  EPIPE: 'the reader closed the pipe',
}

/** The code of a system, zlib or SQLite error (`ENOENT`, `Z_BUF_ERROR`, `SQLITE_FULL`); empty if it has none. */
export function errorCodeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** Why the system refused, in our words if we have them. */
export function fileReasonOf(error: unknown): string {
  return REASONS[errorCodeOf(error)] ?? reasonOf(error)
}
