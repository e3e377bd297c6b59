/** What do clients of Redis do: commands, errors, and those that wait or listen. */
import type { RowDefinition } from './dashboard.ts';
import { rate, series } from './expressions.ts';

export const redisRow: RowDefinition = {
  title: 'What do clients of Redis do?',
  panels: [
    {
      title: 'Commands',
      description: 'Commands that were run; those within a transaction count as one EXEC.',
      kind: 'timeseries',
      unit: 'cps',
      width: 12,
      targets: [[`sum by (command) (${rate('kelp_redis_commands_total')})`, '{{command}}']],
      isStacked: true,
    },
    {
      title: 'Errors, by code',
      description:
        'What clients were told. WRONGTYPE and WRONGPASS are faults of clients; OOM is a store that is full, MISCONF a log that has failed.',
      kind: 'timeseries',
      unit: 'cps',
      width: 6,
      targets: [[`sum by (code) (${rate('kelp_redis_errors_total')})`, '{{code}}']],
    },
    {
      title: 'Waiting and listening',
      description:
        'Clients that wait for an element, by BLPOP and the like; channels and patterns that are listened to.',
      kind: 'timeseries',
      unit: 'short',
      width: 6,
      targets: [
        [`sum(${series('kelp_redis_blocked_clients')})`, 'clients that wait'],
        [`sum(${series('kelp_redis_channels')})`, 'channels'],
        [`sum(${series('kelp_redis_patterns')})`, 'patterns'],
        [`sum(${series('kelp_redis_slow_log_commands')})`, 'commands in the slow log'],
      ],
    },
  ],
};
