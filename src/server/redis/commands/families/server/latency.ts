/**
 * LATENCY, as a Redis answers that watches for nothing (`latency-monitor-threshold 0`, `latency-tracking no`): no events, and no histograms
 * by command. Those of all doors are in the metrics; SLOWLOG has single commands that took long.
 */
import { noLatencySamples } from '../../../replies/errors.ts';
import { replyHelp } from '../../../replies/help.ts';
import type { CommandFacts } from '../../command.ts';
import type { DoorCommand } from '../../door.ts';

type Run = DoorCommand['door'];

const none: Run = (_, __, { reply }) => reply.array(0);

const graph: Run = (_, __, { args }) => {
  throw noLatencySamples(args.text(2));
};

const ADVICE =
  'Events that take long are not watched for. SLOWLOG GET has commands that took long; histograms of all calls, flushes and of the event loop are in GET /metrics.\n';

const doctor: Run = (_, __, { reply }) => reply.verbatim('txt', ADVICE);

const histogram: Run = (_, __, { reply }) => reply.map(0);

const reset: Run = (_, __, { reply }) => reply.integer(0);

const help: Run = (_, __, { reply }) => replyHelp(reply, 'latency', latencyCommands);

const facts = {
  flags: ['admin', 'noscript', 'loading', 'stale'],
  categories: ['admin', 'slow', 'dangerous'],
  group: 'server',
  since: '2.8.13',
  complexity: 'O(1)',
} as const satisfies Partial<CommandFacts>;

export const latencyCommands: readonly DoorCommand[] = [
  {
    ...facts,
    name: 'latency|doctor',
    arity: 2,
    summary: 'Says where to look for what took long',
    syntax: '',
    door: doctor,
  },
  {
    ...facts,
    name: 'latency|graph',
    arity: 3,
    summary: 'Is refused, as no event has any samples',
    syntax: 'event',
    door: graph,
  },
  {
    ...facts,
    name: 'latency|histogram',
    arity: -2,
    summary: 'Answers an empty map, as there are no histograms by command',
    since: '7.0.0',
    syntax: '[command [command ...]]',
    door: histogram,
  },
  {
    ...facts,
    name: 'latency|history',
    arity: 3,
    summary: 'Answers an empty list, as events are not watched for',
    syntax: 'event',
    door: none,
  },
  {
    ...facts,
    name: 'latency|latest',
    arity: 2,
    summary: 'Answers an empty list, as events are not watched for',
    syntax: '',
    door: none,
  },
  {
    ...facts,
    name: 'latency|reset',
    arity: -2,
    summary: 'Answers 0, as there is nothing to forget',
    syntax: '[event [event ...]]',
    door: reset,
  },
  {
    name: 'latency|help',
    arity: 2,
    flags: ['loading', 'stale'],
    categories: ['slow'],
    group: 'server',
    summary: 'Lists the subcommands',
    since: '2.8.13',
    complexity: 'O(1)',
    syntax: '',
    door: help,
  },
];
