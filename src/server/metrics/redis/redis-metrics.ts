/** The metrics of the Redis door. */
import type { Metric, ServerFigures } from '../metric.ts';
import { redisErrorCodes } from './redis-meter.ts';

export const redisMetrics: readonly Metric<ServerFigures>[] = [
  {
    name: 'kelp_redis_commands_total',
    type: 'counter',
    help: 'The commands of clients of Redis that were run; those within a transaction count as one EXEC.',
    labels: { command: 'as `COMMAND LIST` has them: get, config|get' },
    read: ({ redis }) => [...redis.commandCounts].map(([command, value]) => ({ labels: { command }, value })),
  },
  {
    name: 'kelp_redis_errors_total',
    type: 'counter',
    help: 'The errors that clients of Redis were told.',
    labels: { code: redisErrorCodes.join(', ') },
    read: ({ redis }) => [...redis.errorCounts].map(([code, value]) => ({ labels: { code }, value })),
  },
  {
    name: 'kelp_redis_blocked_clients',
    type: 'gauge',
    help: 'Clients of Redis that wait for an element, by BLPOP and the like.',
    read: ({ redis }) => redis.gauges.blockedCount,
  },
  {
    name: 'kelp_redis_channels',
    type: 'gauge',
    help: 'Channels that clients of Redis listen to.',
    read: ({ redis }) => redis.gauges.channelCount,
  },
  {
    name: 'kelp_redis_patterns',
    type: 'gauge',
    help: 'Patterns of channels that clients of Redis listen to.',
    read: ({ redis }) => redis.gauges.patternCount,
  },
  {
    name: 'kelp_redis_slow_log_commands',
    type: 'gauge',
    help: 'Commands that the slow log holds: at most `slowlog-max-len`.',
    read: ({ redis }) => redis.gauges.slowLogLength,
  },
];
