/** The metrics of access: logins, what checking passwords takes, and calls that were denied. */
import type { Metric, ServerFigures } from '../metric.ts';

export const accessMetrics: readonly Metric<ServerFigures>[] = [
  {
    name: 'kelp_logins_total',
    type: 'counter',
    help: 'The credentials that were looked at: of each request, but once for those that the same connection sends again and again.',
    labels: {
      kind: 'password, token, certificate; none: a call without credentials that needs some, or in no form of them',
      outcome: 'accepted, refused; busy: too many passwords were being checked',
    },
    read: ({ access }) =>
      Object.entries(access.loginCounts).flatMap(([kind, counts]) =>
        Object.entries(counts).map(([outcome, value]) => ({ labels: { kind, outcome }, value })),
      ),
  },
  {
    name: 'kelp_access_denied_total',
    type: 'counter',
    help: 'The calls, and operations of batches, that asked for more than their user is allowed.',
    read: ({ access }) => access.deniedCount,
  },
  {
    name: 'kelp_password_checks_total',
    type: 'counter',
    help: 'How often scrypt was run: for a login by a password that was not known from before, and for a new password.',
    read: ({ access }) => access.passwords.begunCount,
  },
  {
    name: 'kelp_password_checks_running',
    type: 'gauge',
    help: 'Those that run, each on a thread; 2 at most.',
    read: ({ access }) => access.passwords.runningCount,
  },
  {
    name: 'kelp_password_checks_waiting',
    type: 'gauge',
    help: 'Those that wait for it; 64 at most, and one more is refused as busy.',
    read: ({ access }) => access.passwords.waitingCount,
  },
];
