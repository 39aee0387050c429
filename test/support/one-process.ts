/**
 * Whether no program may be started, as in `npm run test:fast`: then `runCli` runs the program in the process of the
 * test, the real relay lives there too, and a test that needs a process for its own sake is skipped (`no-programs.ts`).
 */
export const isOneProcess = process.env['NGIT_SYNC_TEST_PROCESSES'] === 'one'
