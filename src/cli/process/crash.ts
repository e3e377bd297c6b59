/**
 * An error that was not foreseen ends a server: what it has left half done is not known. Node would exit with 1, which says here that data
 * is damaged, so what watches over the process would not start it again (`deploy/kelpdb.service`).
 */
import type { Logger } from 'pino';
import { exitCode } from './exit-code.ts';

/** @returns what takes it back. */
export function endOnCrash(logger: Logger): () => void {
  const end = (error: unknown): void => {
    logger.fatal({ err: error }, 'the server failed unexpectedly, and ends');
    process.exit(exitCode.other);
  };
  process.on('uncaughtException', end);
  return () => process.off('uncaughtException', end);
}
