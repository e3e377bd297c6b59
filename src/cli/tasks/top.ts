/** The work of `top`: what goes on, again and again on a terminal, else once. */
import type { Activity, Status } from '../../client/messages/types.ts';
import { isKelpError } from '../../client/errors/error.ts';
import { failureText } from '../process/failure.ts';
import { untilInterrupted } from '../process/interrupt.ts';
import type { Session } from '../session/session.ts';
import { displayCount, displayDuration, displaySize } from '../terminal/display.ts';
import { FullScreen } from '../terminal/full-screen.ts';
import { formatFacts } from '../terminal/table.ts';
import { methodTable, prefixTable, rateFacts, redisText } from './rate-tables.ts';
import { type Rates, ratesOf } from './rates.ts';
import { pause } from './stats.ts';
import { clusterLine } from './cluster-text.ts';
import { storageLine } from './storage-text.ts';

export interface TopFlags {
  readonly interval: number;
  readonly once?: boolean;
}

const METHOD_ROWS_MAX = 10;
const METHOD_ROWS_MIN = 3;
const PREFIX_ROWS_MAX = 20;
/** Of a picture: those that are of neither table, their titles and the foot. */
const OTHER_ROWS = 14;

const FOOT = 'q quits';

export async function top(session: Session, { interval, once = false }: TopFlags): Promise<void> {
  const { client, output, stdin, isJson } = session;
  const first = await client.admin.activity();
  if (isJson || once || !output.isTerminal) {
    await pause(interval);
    const { rates, text } = await frame(session, first);
    return isJson ? output.writeJson(rates) : output.write(text);
  }
  const quit = new AbortController();
  const screen = new FullScreen(output, stdin, () => quit.abort());
  await untilInterrupted(async (interrupted) => {
    const signal = AbortSignal.any([quit.signal, interrupted]);
    await screen.enter();
    try {
      await refresh(session, screen, { first, interval, signal });
    } finally {
      await screen.leave();
    }
    interrupted.throwIfAborted();
  });
}

interface Refreshing {
  readonly first: Activity;
  readonly interval: number;
  readonly signal: AbortSignal;
}

/** Until the signal is aborted. A server that does not answer may come back. */
async function refresh(
  session: Session,
  screen: FullScreen,
  { first, interval, signal }: Refreshing,
): Promise<void> {
  let earlier = first;
  let lines = ['...'];
  await screen.show(lines, FOOT);
  for (;;) {
    await pause(interval, signal);
    if (signal.aborted) return;
    try {
      const { later, text } = await frame(session, earlier, signal);
      earlier = later;
      lines = text.split('\n');
      await screen.show(lines, FOOT);
    } catch (error) {
      if (signal.aborted) return;
      if (!isKelpError(error) || endsLogin(error)) throw error;
      await screen.show([failureText(error), '', ...lines], FOOT);
    }
  }
}

/** To ask again and again would not help, and is logged as an attack would be. */
function endsLogin(error: unknown): boolean {
  return isKelpError(error, 'unauthenticated') || isKelpError(error, 'permissionDenied');
}

interface Frame {
  readonly later: Activity;
  readonly rates: Rates;
  readonly text: string;
}

/** On a screen there is room for both tables: methods get half of it, and what the prefixes leave. */
function methodRows({ isTerminal, rows }: Session['output'], prefixCount: number): number {
  if (!isTerminal) return METHOD_ROWS_MAX;
  const room = rows - OTHER_ROWS;
  const share = Math.max(METHOD_ROWS_MIN, Math.floor(room / 2), room - prefixCount);
  return Math.min(METHOD_ROWS_MAX, share);
}

async function frame({ client, output }: Session, earlier: Activity, signal?: AbortSignal): Promise<Frame> {
  const options = signal === undefined ? {} : { signal };
  const [status, later] = await Promise.all([client.admin.status(options), client.admin.activity(options)]);
  const rates = ratesOf(earlier, later);
  const shownCount = methodRows(output, rates.prefixes.length);
  const methods = await methodTable(rates.methods.slice(0, shownCount));
  const prefixes = await prefixTable(rates.prefixes.slice(0, PREFIX_ROWS_MAX));
  const text = `${headOf(status, later)}\n${formatFacts(rateFacts(rates))}\n${methods}\n${prefixes}`;
  return { later, rates, text };
}

function headOf(status: Status, activity: Activity): string {
  const { connectionCount, streamCount } = activity;
  const { version, uptimeMs, revision, keyCount, memoryBytes, memoryBytesMax, logBytes, watcherCount } =
    status;
  const ofRedis = redisText(activity);
  const ofStorage = storageLine(status);
  const ofCluster = clusterLine(status);
  return [
    `KelpDB ${version}, up ${displayDuration(uptimeMs)}, revision ${revision}, ${displayCount(keyCount, 'key')}`,
    `memory ${displaySize(memoryBytes)} of ${displaySize(memoryBytesMax)}, log ${displaySize(logBytes)}, ${displayCount(connectionCount, 'connection')}, ${displayCount(streamCount, 'stream')}, ${displayCount(watcherCount, 'watch', 'watches')}`,
    ...(ofCluster === undefined ? [] : [ofCluster]),
    ...(ofStorage === undefined ? [] : [ofStorage]),
    ...(ofRedis === '' ? [] : [ofRedis]),
    '',
  ].join('\n');
}
