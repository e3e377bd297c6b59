/** Reads of all kinds, held against the model: none shows what a crash could undo, all show one revision. */
import type { Entry, KeyRange, Store } from '../../src/api.ts';
import type { SeededRandom } from '../support/random.ts';
import { describe, expectEqual } from './describe.ts';
import { type Ledger, toAnswer } from './ledger.ts';
import type { Machine } from './machine.ts';
import { isExpired } from './model.ts';
import { withoutTtl } from './sequential-store.ts';
import { KEYS, type Workload } from './workload.ts';

interface ReadContext {
  readonly store: Store;
  readonly machine: Machine;
  readonly ledger: Ledger;
  readonly workload: Workload;
  readonly random: SeededRandom;
}

/** Reads something at random. */
export function readAtRandom(
  store: Store,
  machine: Machine,
  workload: Workload,
  random: SeededRandom,
): Promise<void> {
  const context = { store, machine, ledger: machine.ledger, workload, random };
  switch (random.below(9)) {
    case 0:
    case 1:
      return readKey(context);
    case 2:
      return readOldKey(context);
    case 3:
      return readExists(context);
    case 4:
      return readOldCount(context);
    case 5:
      return readKeys(context);
    case 6:
      return readStatus(context);
    default:
      return readPages(context);
  }
}

async function readKey(context: ReadContext): Promise<void> {
  const { store, ledger, random } = context;
  const key = random.pick(KEYS);
  const { nowMs } = context.machine.instant();
  const check = beforeNewest(context);
  const { entry, revision } = await store.get(key);
  check(revision);
  const expected = ledger.model.read(key, revision);
  const isGone = expected === undefined || isExpired(expected, nowMs);
  expectEqual(() => `get ${key} at ${revision}`, entry, isGone ? undefined : withoutTtl(expected));
}

async function readOldKey(context: ReadContext): Promise<void> {
  const { store, ledger, random } = context;
  const key = random.pick(KEYS);
  const wanted = random.between(1, ledger.seenRevision + 1);
  const seen = ledger.seenRevision;
  const answer = await toAnswer(store.get(key, { revision: wanted }));
  if ('code' in answer) return expectUnreadable(context, wanted, seen, answer);
  const { entry, revision } = answer.value as Awaited<ReturnType<Store['get']>>;
  if (revision !== wanted) throw new Error(`get at ${wanted} read at ${revision}`);
  ledger.saw(revision);
  const expected = ledger.model.read(key, revision);
  expectEqual(() => `get ${key} at ${revision}`, entry, expected && withoutTtl(expected));
}

async function readExists(context: ReadContext): Promise<void> {
  const { nowMs } = context.machine.instant();
  const check = beforeNewest(context);
  const { exists, revision } = await context.store.exists(KEYS);
  check(revision);
  const present = new Set(context.ledger.model.entriesAt(revision, {}, nowMs).map(({ key }) => key));
  expectEqual(
    () => `exists at ${revision}`,
    exists,
    KEYS.map((key) => present.has(key)),
  );
}

/** Of the newest state it is one of the calls that are decided; here it is of an older one. */
async function readOldCount(context: ReadContext): Promise<void> {
  const { store, ledger, random, workload } = context;
  const range = workload.range();
  const wanted = random.between(1, ledger.seenRevision + 1);
  const seen = ledger.seenRevision;
  const answer = await toAnswer(store.count(range, { revision: wanted }));
  if ('code' in answer) return expectUnreadable(context, wanted, seen, answer);
  const { count, revision } = answer.value as Awaited<ReturnType<Store['count']>>;
  if (revision !== wanted) throw new Error(`count at ${wanted} read at ${revision}`);
  ledger.saw(revision);
  const expected = ledger.model.entriesAt(revision, range).length;
  expectEqual(() => `count ${describe(range)} at ${revision}`, count, expected);
}

async function readKeys(context: ReadContext): Promise<void> {
  const { nowMs } = context.machine.instant();
  const check = beforeNewest(context);
  const { keys, revision } = await context.store.keys('d*');
  check(revision);
  const entries = context.ledger.model.entriesAt(revision, { prefix: 'd' }, nowMs);
  expectEqual(
    () => `keys at ${revision}`,
    keys,
    entries.map(({ key }) => key),
  );
}

async function readStatus(context: ReadContext): Promise<void> {
  const check = beforeNewest(context);
  const { revision, keyCount } = await context.store.status();
  check(revision);
  const expected = context.ledger.model.entriesAt(revision).length;
  expectEqual(() => `the keys of status at ${revision}`, keyCount, expected);
}

/** A scan in pages, with writes and compactions between them. */
async function readPages(context: ReadContext): Promise<void> {
  const { store, ledger, random } = context;
  const range = random.chance(0.5) ? {} : context.workload.range();
  const isOld = random.chance(0.4) && ledger.seenRevision > 0;
  const wanted = isOld ? random.between(1, ledger.seenRevision) : 0;
  const options = { revision: wanted, limit: random.between(1, 12), reverse: random.chance(0.3) };
  const { nowMs } = context.machine.instant();
  const check = beforeNewest(context);
  const seen = ledger.seenRevision;
  const entries: Entry[] = [];
  let revision = wanted;
  let pageToken = '';
  do {
    const answer = await toAnswer(store.scan(range, { ...options, pageToken }));
    if ('code' in answer) return expectUnreadable(context, revision, seen, answer);
    const page = answer.value as Awaited<ReturnType<Store['scan']>>;
    if (pageToken === '' && !isOld) check(page.revision);
    else if (page.revision !== revision) throw new Error(`a page of ${revision} read at ${page.revision}`);
    ({ revision } = page);
    entries.push(...page.entries);
    pageToken = page.nextPageToken;
    if (pageToken !== '') await context.machine.scheduler.pause();
  } while (pageToken !== '');
  expectState(context, range, revision, entries, options.reverse, isOld ? 0 : nowMs);
}

/** @param instantMs entries whose deadline had come by then are not shown; 0: all are. */
function expectState(
  { ledger }: ReadContext,
  range: KeyRange,
  revision: number,
  entries: readonly Entry[],
  reverse: boolean,
  instantMs: number,
): void {
  const expected = ledger.model.entriesAt(revision, range, instantMs).map(withoutTtl);
  if (reverse) expected.reverse();
  expectEqual(() => `scan ${describe(range)} at ${revision}`, entries, expected);
}

/** A read of the newest state: @returns what checks that it was new enough, and visible. */
function beforeNewest({ ledger }: ReadContext): (revision: number) => void {
  ledger.settle();
  const seenBefore = ledger.seenRevision;
  const newest = ledger.model.revision;
  return (revision) => {
    if (revision < seenBefore)
      throw new Error(`a read shows revision ${revision} when ${seenBefore} had been seen`);
    if (revision > newest) throw new Error(`a read shows revision ${revision}, which was not yet taken`);
    ledger.saw(revision);
  };
}

function expectUnreadable(
  context: ReadContext,
  revision: number,
  seenBefore: number,
  { code, details }: { readonly code: string; readonly details: object | undefined },
): void {
  if (code === 'closed' && context.ledger.isClosing) return;
  if (code === 'readFailed' && context.machine.areReadsFaulty) return;
  const { oldestRevision } = details as { oldestRevision: number };
  const isFuture = code === 'revisionFuture' && revision > seenBefore;
  const isCompacted =
    code === 'revisionCompacted' &&
    revision < oldestRevision &&
    oldestRevision <= context.machine.oldestRevisionMax();
  if (!isFuture && !isCompacted) {
    throw new Error(
      `a read at ${revision} is refused with ${code} ${describe(details)}; seen ${seenBefore}, oldest at most ${context.machine.oldestRevisionMax()}`,
    );
  }
}
