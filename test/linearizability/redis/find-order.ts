/**
 * Is there an order of all steps, each at one instant between its sending and its reply, in which Redis gives these replies? The
 * search is that of `search.ts`, depth first with what was visited remembered, for a history that tells no revisions but says more in
 * another way: the steps of a connection are done in the order in which they were sent, so of those under way it is known for each
 * connection by one number which are done; and a step that was never answered is done before its server ends, or never.
 */
import { describeEvent, type HistoryEvent, type Sent } from './connection-history.ts';
import { EMPTY, runStep, type State, textOf, withoutConnections } from './redis-model.ts';

/** It gives up behind so many states. */
const VISITED_MAX = 500_000;
const EVENTS_SHOWN = 30;

interface Way {
  /** The event that comes next. */
  readonly index: number;
  readonly state: State;
  /** By connection: how many of its steps are done. */
  readonly done: readonly number[];
}

/** @returns what no order explains, to be read; `undefined`: the history is linearizable. */
export function findDisorder(events: readonly HistoryEvent[], connectionCount: number): string | undefined {
  const stepsByConnection = Array.from({ length: connectionCount }, (): Sent[] => []);
  const numbers = new Map<Sent, number>();
  /** By event: the steps that each connection has sent before it. */
  const sentCounts: number[][] = [];
  for (const event of events) {
    sentCounts.push(stepsByConnection.map(({ length }) => length));
    if (event.kind !== 'sent') continue;
    const steps = stepsByConnection[event.sent.connection] ?? [];
    numbers.set(event.sent, steps.length);
    steps.push(event.sent);
  }
  const visited = new Set<string>();
  let farthest = 0;
  const statesThere = new Set<string>();
  const ways: Way[] = [{ index: 0, state: EMPTY, done: stepsByConnection.map(() => 0) }];
  for (let way = ways.pop(); way !== undefined; way = ways.pop()) {
    const event = events[way.index];
    if (event === undefined) return undefined;
    const stateText = textOf(way.state);
    const name = `${way.index} ${way.done.join()} ${stateText}`;
    if (visited.has(name)) continue;
    visited.add(name);
    if (visited.size > VISITED_MAX)
      return `too many orders to try them all, up to\n${shown(events, farthest)}`;
    if (way.index > farthest) statesThere.clear();
    farthest = Math.max(farthest, way.index);
    if (way.index === farthest) statesThere.add(stateText);
    ways.push(...goOn(way, event));
  }
  const states = [...statesThere].slice(0, 5).join('\n');
  return `no order explains the last of these:\n${shown(events, farthest)}\nBefore it there could only have been:\n${states}`;

  /** The best is the last. */
  function goOn(way: Way, event: HistoryEvent): Way[] {
    const past: Way = { ...way, index: way.index + 1 };
    if (event.kind === 'sent') return [past];
    const sentCount = sentCounts[way.index] ?? [];
    if (event.kind === 'ended') {
      // What is not done by now is lost.
      return [
        ...sentCount.flatMap((_, connection) => place(way, connection, sentCount)),
        { ...past, state: withoutConnections(way.state), done: sentCount },
      ];
    }
    const { connection } = event.sent;
    if ((way.done[connection] ?? 0) > (numbers.get(event.sent) ?? 0)) return [past];
    const others = sentCount.flatMap((_, other) =>
      other === connection ? [] : place(way, other, sentCount),
    );
    return [...others, ...place(way, connection, sentCount)];
  }

  /** Does the next step of a connection, if there is one and it can have been answered as it was. */
  function place(way: Way, connection: number, sentCount: readonly number[]): Way[] {
    const number = way.done[connection] ?? 0;
    const sent = stepsByConnection[connection]?.[number];
    if (sent === undefined || number >= (sentCount[connection] ?? 0)) return [];
    const [reply, state] = runStep(way.state, connection, sent.step);
    if (sent.reply !== undefined && sent.reply !== JSON.stringify(reply)) return [];
    return [{ ...way, state, done: way.done.with(connection, number + 1) }];
  }
}

function shown(events: readonly HistoryEvent[], last: number): string {
  return events
    .slice(Math.max(0, last + 1 - EVENTS_SHOWN), last + 1)
    .map(describeEvent)
    .join('\n');
}
