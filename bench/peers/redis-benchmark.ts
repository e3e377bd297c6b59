/** Redis' own load generator, for whichever server speaks its protocol, by the clock and by the processor time of the server. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { CaseContext } from '../bench-case.ts';
import { operationCount } from '../bench-case.ts';
import { VALUE_BYTES } from '../load/data.ts';
import { cpuSecondsOf } from '../load/process-figures.ts';

export interface BenchmarkedServer {
  readonly processId: number;
  readonly port: number;
}

export type CommandName =
  | 'SET'
  | 'GET'
  | 'INCR'
  | 'LPUSH'
  | 'RPUSH'
  | 'LPOP'
  | 'RPOP'
  | 'SADD'
  | 'HSET'
  | 'SPOP'
  | 'ZADD'
  | 'ZPOPMIN'
  | 'LRANGE_100'
  | 'XADD'
  | 'MSET';

/** A script with the one key that it is called with, of which a different one is drawn for each call. */
export interface ScriptLoad {
  /** What it does, in results. */
  readonly name: string;
  readonly text: string;
  /** Its one argument. */
  readonly argument: string;
}

interface CommandLoad {
  readonly command: CommandName | ScriptLoad;
  readonly count: number;
  readonly connections: number;
  /** Commands of a connection that are under way. */
  readonly pipeline: number;
  /** Of the values; default `VALUE_BYTES`. */
  readonly valueBytes?: number;
  /** How many different keys, members or fields there are; default the number of keys of the case. */
  readonly keyCount?: number;
}

export interface CommandRates {
  readonly perSecond: number;
  /** For each second of the server's processor time. */
  readonly perCpuSecond: number;
}

/** Of what it has no test for, the words; `__rand_int__` is one of so many numbers as there are keys. */
const WORDS: { readonly [Name in CommandName]?: readonly string[] } = {
  XADD: ['XADD', 'mystream', '*', 'myfield', '__rand_int__'],
};

/** A quick try may take less than the step in which processor time is told. */
const CPU_SECONDS_MIN = 0.01;

export async function commandRates(
  context: CaseContext,
  { processId, port }: BenchmarkedServer,
  {
    command,
    count,
    connections,
    pipeline,
    valueBytes = VALUE_BYTES,
    keyCount = context.keyCount,
  }: CommandLoad,
): Promise<CommandRates> {
  const commands = Math.max(operationCount(context, count), connections);
  const before = await cpuSecondsOf(processId);
  const load = ['-c', connections, '-P', pipeline, '-d', valueBytes, '-r', keyCount];
  const what =
    typeof command === 'string'
      ? (WORDS[command] ?? ['-t', command.toLowerCase()])
      : await scriptCall(port, command);
  const args = ['-p', port, '-n', commands, '--csv', ...load, ...what];
  const { stdout } = await promisify(execFile)('redis-benchmark', args.map(String));
  const cpuSeconds = (await cpuSecondsOf(processId)) - before;
  const begun = `"${typeof command === 'string' ? command : 'EVALSHA'}`;
  const line = stdout.split('\n').find((text) => text.startsWith(begun));
  const perSecond = Number(
    line
      ?.split(',')
      .find((field) => /^"[\d.]+"$/.test(field))
      ?.slice(1, -1),
  );
  if (!(perSecond > 0)) throw new Error(`redis-benchmark tells no rate of ${begun}": ${stdout}`);
  return { perSecond, perCpuSecond: commands / Math.max(CPU_SECONDS_MIN, cpuSeconds) };
}

/** Loads a script. @returns the words of its calls. */
async function scriptCall(port: number, { text, argument }: ScriptLoad): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)('redis-cli', ['-p', String(port), 'SCRIPT', 'LOAD', text]);
  return ['EVALSHA', stdout.trim(), '1', 'lock:__rand_int__', argument];
}
