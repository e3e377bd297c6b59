/**
 * The log: JSON lines, or readable text when a terminal is attached. No line holds a key or a value; a call is logged
 * by its method, outcome and time, and only at debug.
 */
import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import type { LogFormat, LogLevel } from './config.ts';

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
}

/** What lines are written to: standard output, or what a test reads. */
export interface LogStream {
  write(line: string): unknown;
  readonly isTTY?: boolean;
}

export function createLogger({ level, format }: LoggerOptions, stream: LogStream = process.stdout): Logger {
  const isPretty = format === 'pretty' || (format === 'auto' && stream.isTTY === true);
  const write = isPretty
    ? (line: string) => void stream.write(`${readable(line).trimEnd()}\n`)
    : (line: string) => void stream.write(line);
  const formatters = { level: (label: string) => ({ level: label }) };
  // Our messages name their causes themselves: the default serializer would say everything twice.
  const serializers = { err: pino.stdSerializers.errWithCause };
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters, serializers },
    { write },
  );
}

const readable = pretty.prettyFactory({ colorize: false, singleLine: true, translateTime: 'SYS:HH:MM:ss.l' });
