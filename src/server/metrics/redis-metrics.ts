/** The metrics of the Redis door. */
import type { Metric, ServerFigures } from './metric.ts';
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
];
