/** `AdminService.Activity`: what the metrics count, for a person who looks at a terminal, and what busy keys begin with. */
import { isUtf8 } from 'node:buffer';
import type * as codec from '../../../gen/kelp/v1/admin_codec.ts';
import { grpcCode } from '../../grpc-code.ts';
import { serverFixed } from '../../limits.ts';
import type { StoreFigures } from '../../store/figures.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import type { CallMeter } from '../metrics/calls/call-meter.ts';
import type { PrefixActivity, PrefixCounts } from '../metrics/activity/prefix-activity.ts';
import type { LoopDelay } from '../metrics/process/loop-delay.ts';
import type { RedisMeter } from '../metrics/redis/redis-meter.ts';
import type { StoreMeter } from '../metrics/store/store-meter.ts';
import { durationShape } from './reply-entries.ts';

/** Where it is read from. */
export interface ActivityFigures {
  readonly meters: readonly CallMeter[];
  /** Of the Redis door. */
  readonly redis: Pick<RedisMeter, 'commandCounts' | 'failedCounts' | 'gauges'>;
  readonly redisConnectionCount: number;
  readonly prefixes: PrefixActivity;
  readonly storeMeter: StoreMeter;
  readonly loopDelay: LoopDelay;
  readonly connectionCount: number;
  readonly streamCount: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

const MICROS_PER_SECOND = 1e6;

const boundsMicros = serverFixed.callDurationBounds.map((bound) => Math.round(bound * MICROS_PER_SECOND));

export function activityResponse(
  { meters, redis, prefixes, storeMeter, loopDelay, ...server }: ActivityFigures,
  { watchEventsSent }: StoreFigures,
): codec.ActivityResponseShape {
  const recent = prefixes.recent();
  const { flushDurations, batchRecords, batchBytes } = storeMeter;
  return {
    uptime: durationShape(Math.round(process.uptime() * 1000)),
    methods: [...meters.map(methodShape), ...commandShapes(redis)],
    durationBoundsMicros: boundsMicros,
    prefixes: recent.prefixes.map(prefixShape),
    prefixWindow: durationShape(Math.round(recent.windowMs)),
    ...server,
    redisBlockedClientCount: redis.gauges.blockedCount,
    watchEventCount: watchEventsSent,
    flushCount: flushDurations.count,
    flushMicros: Math.round(flushDurations.sum * MICROS_PER_SECOND),
    logRecordCount: batchRecords.sum,
    logWrittenBytes: batchBytes.sum,
    eventLoopDelayCounts: [...loopDelay.counts],
  };
}

function methodShape(meter: CallMeter): codec.MethodActivityShape {
  const { door, method, begunCount, endedCount, countByCode, durations } = meter;
  return {
    door,
    method,
    callCount: endedCount,
    errorCount: endedCount - (countByCode[grpcCode.Ok] ?? 0),
    inProgressCount: begunCount - endedCount,
    durationMicros: Math.round(durations.sum * MICROS_PER_SECOND),
    durationCounts: durations.count === 0 ? [] : [...durations.counts],
  };
}

/** Commands of Redis' protocol count when they begin, and how long each took is not measured. */
function commandShapes({
  commandCounts,
  failedCounts,
}: ActivityFigures['redis']): codec.MethodActivityShape[] {
  return [...commandCounts.keys()].sort().map((method) => ({
    door: 'redis',
    method,
    callCount: commandCounts.get(method) ?? 0,
    errorCount: failedCounts.get(method) ?? 0,
    inProgressCount: 0,
    durationMicros: 0,
    durationCounts: [],
  }));
}

function prefixShape({ prefix, readCount, writeCount }: PrefixCounts): codec.PrefixActivityShape {
  const bytes = Buffer.from(prefix, 'latin1');
  const isText = isUtf8(bytes);
  const text = isText ? bytes.toString('utf8') : '';
  return { prefix: text, prefixBytes: isText ? NO_BYTES : bytes, readCount, writeCount };
}
