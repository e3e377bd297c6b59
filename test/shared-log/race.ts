/**
 * Nodes that race for a log while answers go astray, requests arrive late, and somebody trims; and what must hold of what they were
 * told and of what lies in the log behind it:
 *
 * - What was told as stored lies at its place, and what was told as fenced lies nowhere.
 * - No batch lies there twice, nor one that nobody has appended.
 * - Each epoch was won by one attempt at most, and all its batches are of that attempt.
 * - Readers that followed live have read just what lies there.
 */
import type { LogHead, LogRecord } from '../../src/shared-log/shared-log.ts';
import { SharedLogError } from '../../src/shared-log/shared-log-error.ts';
import type { SeededRandom } from '../support/random.ts';
import type { StorageCall, Trouble } from '../support/troubled-storage.ts';
import { type LogNode, type LogWorld, openNode, storeId, textOf } from './world.ts';

export interface RacePlan {
  readonly nodeCount: number;
  /** What each node does before it stops: appends, and what stands in between. */
  readonly stepCount: number;
  /** How likely it is for a call to go astray. */
  readonly trouble: number;
  /** How long a call may take before the node gives it up. */
  readonly timeoutMs: number;
}

/** What the nodes were told. */
class Ledger {
  readonly storedByPosition = new Map<number, string>();
  readonly fenced = new Set<string>();
  readonly winnerByEpoch = new Map<number, string>();
  readonly appended = new Set<string>();
  readonly faults: string[] = [];

  won({ epoch }: LogHead, address: string): void {
    const other = this.winnerByEpoch.get(epoch);
    if (other !== undefined) this.faults.push(`epoch ${epoch} was won by ${other} and by ${address}`);
    this.winnerByEpoch.set(epoch, address);
  }

  stored({ epoch, position }: LogHead, text: string): void {
    const other = this.storedByPosition.get(position);
    if (other !== undefined) this.faults.push(`position ${position} has ${other} and ${text}`);
    this.storedByPosition.set(position, `${epoch} ${text}`);
  }
}

const TROUBLES: readonly Trouble[] = ['lost', 'dropped', 'late'];

/** @returns what was wrong; empty when all held. */
export async function race(world: LogWorld, random: SeededRandom, plan: RacePlan): Promise<string[]> {
  const ledger = new Ledger();
  const first = openNode(world);
  await first.log.init(storeId);
  const followed = [follow(first), follow(openNode(world))];
  const nodes = Array.from({ length: plan.nodeCount }, () => openNode(world));
  for (const { trouble } of nodes) {
    trouble.trouble = (call: StorageCall) =>
      call !== 'create' && random.chance(plan.trouble) ? random.pick(TROUBLES) : 'none';
  }
  await Promise.all(nodes.map((node, index) => live(node, `node ${index}`, random, plan, ledger)));
  for (const { trouble } of nodes) trouble.trouble = () => 'none';
  for (const { trouble } of nodes) await trouble.arrive();

  const { position } = await first.log.head();
  const lines: readonly (readonly string[])[] = await Promise.all(
    followed.map((each) => each.upTo(position)),
  );
  ledger.faults.push(...check(ledger, lines[0] ?? []));
  const [one = [], other = []] = lines;
  ledger.faults.push(...check(ledger, other));
  const differing = one.findIndex(
    (line, index) => line !== other[index] && line !== '' && other[index] !== '',
  );
  if (differing >= 0) ledger.faults.push(`the readers differ at position ${differing + 1}`);
  if (one.length !== position || other.length !== position) ledger.faults.push('a reader has not read all');
  ledger.faults.push(...(await checkKept(first, position, one)));
  return ledger.faults;
}

/** What a node does with its life. */
async function live(
  { log, trouble }: LogNode,
  name: string,
  random: SeededRandom,
  { stepCount, timeoutMs }: RacePlan,
  ledger: Ledger,
): Promise<void> {
  let head: LogHead | undefined;
  for (let step = 1; step <= stepCount; step++) {
    if (random.chance(0.3)) await trouble.arrive();
    try {
      const drawn = random.below(20);
      if (head === undefined || drawn === 0) {
        const address = `${name}, step ${step}`;
        const seen = await log.head({ timeoutMs });
        if (random.chance(0.5)) continue;
        head = undefined;
        const taken = await log.takeOver(seen, address, { timeoutMs });
        if (taken === 'lost') continue;
        ledger.won(taken, address);
        head = taken;
      } else if (drawn === 1) {
        await log.trim(Math.max(1, head.position - random.below(40)), { timeoutMs });
      } else {
        head = await append({ log, trouble }, head, `${name}, batch ${step}`, random, timeoutMs, ledger);
      }
    } catch (error) {
      if (!(error instanceof SharedLogError) || (error.code !== 'unavailable' && error.code !== 'trimmed')) {
        ledger.faults.push(`${name}: ${String(error)}`);
        return;
      }
      // It may have written what it does not know of.
      head = undefined;
    }
  }
}

/** Tries the same batch again while it is uncertain, or leaves it so. @returns the head behind it, if it is still the writer. */
async function append(
  { log, trouble }: LogNode,
  head: LogHead,
  text: string,
  random: SeededRandom,
  timeoutMs: number,
  ledger: Ledger,
): Promise<LogHead | undefined> {
  ledger.appended.add(`${head.epoch} ${text}`);
  for (;;) {
    try {
      const result = await log.append(head, Buffer.from(text), { timeoutMs });
      if (result === 'fenced') ledger.fenced.add(`${head.epoch} ${text}`);
      else ledger.stored(result, text);
      return result === 'fenced' ? undefined : result;
    } catch (error) {
      if (!(error instanceof SharedLogError) || error.code !== 'unavailable' || random.chance(0.3))
        throw error;
      if (random.chance(0.3)) await trouble.arrive();
    }
  }
}

function follow({ log }: LogNode): { readonly upTo: (position: number) => Promise<string[]> } {
  const end = new AbortController();
  const lines: string[] = [];
  let wanted = Number.POSITIVE_INFINITY;
  const reading = (async () => {
    let next = 1;
    for (;;) {
      try {
        for await (const record of log.read(next, end.signal)) {
          take(lines, record);
          next = record.position + 1;
          if (lines.length >= wanted) return;
        }
      } catch (error) {
        if (end.signal.aborted) return;
        // It was slow: a node would fetch a snapshot, and go on from there.
        if (!(error instanceof SharedLogError) || error.firstPosition === undefined) throw error;
        next = error.firstPosition;
        while (lines.length < next - 1) lines.push('');
      }
    }
  })();
  return {
    upTo: async (position) => {
      wanted = position;
      if (lines.length >= position) end.abort();
      await reading;
      // What was given up and is still on its way may come behind.
      return lines.slice(0, position);
    },
  };
}

function take(lines: string[], record: LogRecord): void {
  if (record.position !== lines.length + 1)
    throw new Error(`position ${record.position} behind ${lines.length}`);
  lines.push(textOf(record));
}

/** An empty line is one that was trimmed before it was read. */
function check(ledger: Ledger, lines: readonly string[]): string[] {
  const faults: string[] = [];
  for (const [position, text] of ledger.storedByPosition) {
    const line = lines[position - 1];
    if (line !== text && line !== '') faults.push(`${text} is stored at ${position}, where ${line} lies`);
  }
  const seen = new Set<string>();
  for (const [index, line] of lines.entries()) {
    if (line === '') continue;
    const [, epoch, winner] = /^(\d+) taken by (.*)$/.exec(line) ?? [];
    if (seen.has(line)) faults.push(`${line} lies there twice`);
    if (ledger.fenced.has(line)) faults.push(`${line} was fenced, and lies at ${index + 1}`);
    if (winner === undefined && !ledger.appended.has(line)) faults.push(`${line} was not appended`);
    const told = ledger.winnerByEpoch.get(Number(epoch));
    if (winner !== undefined && told !== undefined && told !== winner) {
      faults.push(`epoch ${epoch} is that of ${winner}, but ${told} was told that it won`);
    }
    seen.add(line);
  }
  return faults;
}

/** What is still there is what the followers have read. */
async function checkKept({ log }: LogNode, to: number, lines: readonly string[]): Promise<string[]> {
  let first = 1;
  for (;;) {
    const end = new AbortController();
    try {
      for await (const record of log.read(first, end.signal)) {
        const line = lines[record.position - 1];
        if (line !== textOf(record) && line !== '') return [`${textOf(record)} lies where ${line} was`];
        if (record.position === to) return [];
      }
    } catch (error) {
      if (!(error instanceof SharedLogError) || error.firstPosition === undefined) throw error;
      first = error.firstPosition;
    } finally {
      end.abort();
    }
  }
}
