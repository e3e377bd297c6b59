/**
 * The log: JSON lines, or readable text when a terminal is attached. No line holds a key or a value; a call is logged
 * by its method, outcome and time, and only at debug.
 */
import { type Logger, pino } from 'pino';
import type { LogFormat, LogLevel } from '../config/config.ts';
import type { LogOutput } from './log-output.ts';
import { hasColour, readableLog } from './readable-log.ts';

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
}

/** What lines are written to: a `LogOutput`, or what a test reads. */
export interface LogTarget {
  write(line: string): unknown;
  readonly isTTY?: boolean;
}

export function createLogger({ level, format }: LoggerOptions, target: LogTarget): Logger {
  const isPretty = format === 'pretty' || (format === 'auto' && target.isTTY === true);
  const readable = isPretty ? readableLog(hasColour(target.isTTY === true, process.env)) : undefined;
  const write = (line: string): void => void target.write(readable?.(line) ?? line);
  const formatters = { level: (label: string) => ({ level: label }) };
  // Our messages name their causes themselves: the default serializer would say everything twice.
  const serializers = { err: pino.stdSerializers.errWithCause };
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters, serializers },
    { write },
  );
}

/** Has a gap in the log told in the log, by a line that the level does not leave out. */
export function logGaps(logger: Logger, output: LogOutput): void {
  const level = logger.isLevelEnabled('warn') ? 'warn' : 'fatal';
  output.onGapEnd = (lines) =>
    logger[level](
      { lines },
      'lines of the log were dropped: they were not read in time, or could not be written',
    );
}
