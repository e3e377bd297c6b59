/**
 * Lines of the log as a person reads them on a terminal:
 *
 *     2026-01-31 12:00:00.123 INFO  ready address=127.0.0.1:7379 dataDir="./my data"
 *
 * A line of the log is one of JSON, as pino writes it; the stack of an error follows below, indented.
 */
import { styleText } from 'node:util';
import { escapeUnprintable } from './printable.ts';

type Style = Parameters<typeof styleText>[0];

const styleByLevel: Readonly<Record<string, Style>> = {
  fatal: ['bold', 'red'],
  error: 'red',
  warn: 'yellow',
  info: 'green',
  debug: 'blue',
  trace: 'gray',
};

/**
 * Whether to colour what is written to a stream, by the same rules as Node: FORCE_COLOR (https://force-color.org) goes
 * before NO_COLOR (https://no-color.org), and that before a terminal.
 */
export function hasColour(isTerminal: boolean, environment: NodeJS.ProcessEnv): boolean {
  const { FORCE_COLOR: forced, NO_COLOR: refused, TERM: terminal } = environment;
  if (forced !== undefined) return ['', '1', '2', '3', 'true'].includes(forced);
  return isTerminal && !refused && terminal !== 'dumb';
}

/** Makes text of lines of JSON, each ending with a line end. */
export function readableLog(isColoured: boolean): (line: string) => string {
  const paint = (style: Style, text: string): string =>
    isColoured ? styleText(style, text, { validateStream: false }) : text;
  return (line) => {
    const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
    const name = String(level);
    const words = [
      paint('gray', localTime(new Date(String(time)))),
      paint(styleByLevel[name] ?? 'reset', name.toUpperCase().padEnd(5)),
      ...(typeof msg === 'string' ? [escapeUnprintable(msg)] : []),
    ];
    const stacks: string[] = [];
    for (const [key, value] of Object.entries(fields)) {
      if (isErrorWithStack(value)) stacks.push(...stacksOf(value));
      else words.push(`${paint('cyan', `${key}=`)}${fieldText(value)}`);
    }
    return `${words.join(' ')}\n${stacks.map(indented).join('')}`;
  };
}

interface LoggedError {
  readonly stack: string;
  readonly cause?: unknown;
}

function isErrorWithStack(value: unknown): value is LoggedError {
  return typeof value === 'object' && value !== null && 'stack' in value && typeof value.stack === 'string';
}

function stacksOf({ stack, cause }: LoggedError): string[] {
  return [stack, ...(isErrorWithStack(cause) ? stacksOf(cause).map((each) => `caused by: ${each}`) : [])];
}

/** By the clock of the machine; lines of JSON have UTC. */
function localTime(time: Date): string {
  const of = (value: number, digits = 2): string => String(value).padStart(digits, '0');
  const date = [of(time.getFullYear(), 4), of(time.getMonth() + 1), of(time.getDate())].join('-');
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map((each) => of(each)).join(':');
  return `${date} ${clock}.${of(time.getMilliseconds(), 3)}`;
}

/** Plain where it is clear where the value ends; else as JSON writes it. */
function fieldText(value: unknown): string {
  const isPlain = typeof value === 'string' && /^[^\s"=\p{C}]+$/u.test(value);
  return isPlain ? value : escapeUnprintable(JSON.stringify(value));
}

function indented(stack: string): string {
  return stack
    .split('\n')
    .map((line) => `    ${escapeUnprintable(line)}\n`)
    .join('');
}
