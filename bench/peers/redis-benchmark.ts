/** Redis' own load generator, by the processor time of the server. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { CaseContext } from '../bench-case.ts';
import { operationCount } from '../bench-case.ts';
import { VALUE_BYTES } from '../load/data.ts';
import { cpuSecondsOf } from '../load/process-figures.ts';
import type { RedisServer } from './redis.ts';

interface RedisLoad {
  readonly kind: 'get' | 'set';
  readonly count: number;
  readonly connections: number;
  /** Commands of a connection that are under way. */
  readonly pipeline: number;
}

/** A quick try may take less than the step in which processor time is told. */
const CPU_SECONDS_MIN = 0.01;

/** @returns how many commands it did with one second of Redis' processor time. */
export async function redisBenchmark(
  context: CaseContext,
  { child, port }: RedisServer,
  { kind, count, connections, pipeline }: RedisLoad,
): Promise<number> {
  const commands = operationCount(context, count);
  const before = await cpuSecondsOf(child.processId);
  const load = ['-c', connections, '-P', pipeline, '-d', VALUE_BYTES, '-r', context.keyCount];
  const args = ['-p', port, '-t', kind, '-n', commands, '-q', ...load];
  await promisify(execFile)('redis-benchmark', args.map(String));
  return commands / Math.max(CPU_SECONDS_MIN, (await cpuSecondsOf(child.processId)) - before);
}
