/**
 * One scripted life of a store, in which something goes wrong at every place in turn: at each call of the disk of each
 * kind, and at each step of the schedule; also while it is opened again after a crash. Afterwards the store must open,
 * and hold what was answered.
 */
import { StoreError } from '../../src/errors.ts';
import type { PutOptions, Store } from '../../src/api.ts';
import { SeededRandom } from '../support/random.ts';
import type { Fault } from '../support/simulated-fault.ts';
import type { DiskCall } from '../support/simulated-fault.ts';
import { backUp } from './backups.ts';
import { type EngineName, engineNamed } from './engines.ts';
import { type CrashKind, Machine, onMachine, type StorePlan } from './machine.ts';
import type { Operation } from './operation.ts';
import { checkOldRevisions } from './recovered.ts';
import { WatchClient } from './watch-client.ts';
import { leaseKey, Workload } from './workload.ts';

const NEVER = 1_000_000_000;

/** Small enough that the script fills several segments and makes several snapshots. */
export const SMALL_PLAN: StorePlan = {
  fsync: 'always',
  limits: {
    segmentBytes: 4096,
    snapshotLogBytes: NEVER,
    snapshotsKept: 2,
    logRetentionBytes: 5000,
    historyRevisionsMax: NEVER,
    historyBytesMax: NEVER,
  },
  isTight: false,
  isHistoryKept: true,
  isLogKept: false,
};

const SEED = 4;

/** What the lives of a store do, round for round: two before the crash, and one behind it. */
export interface Script {
  readonly plan: StorePlan;
  /** It may be broken off anywhere. */
  runRound(machine: Machine, store: Store, round: number): Promise<void>;
  /** Looks at more of a store that was opened again than every script does. */
  check?(machine: Machine, store: Store): void;
}

const WRITES: Script = { plan: SMALL_PLAN, runRound };

interface Mishap {
  readonly fault?: Fault;
  /** The script is broken off here. */
  readonly endStep?: number;
  readonly crash: CrashKind;
}

/** A crash, and what goes wrong while the store is opened after it. */
interface RecoveryMishap {
  readonly endStep: number;
  readonly crash: CrashKind;
  readonly fault?: Fault;
  /** The opening is broken off after so many steps, ... */
  readonly recoverySteps?: number;
  /** ... in this way. */
  readonly secondCrash: CrashKind;
}

export interface SweptLife {
  readonly stepCount: number;
  /** How often the disk was called, by call. */
  readonly countByCall: ReadonlyMap<DiskCall, number>;
}

/** Runs the script with one mishap, and then checks what is left. Throws when it is not what it must be. */
export function runScript(
  { fault, endStep = Infinity, crash }: Mishap,
  script: Script = WRITES,
  engine: EngineName = 'heap',
): Promise<SweptLife> {
  return sweptLife(script, engine, async (machine) => {
    if (fault !== undefined) injectFault(machine, fault);
    await live(machine, script, endStep);
    const life = lifeOf(machine);
    machine.isDiskFaulty = false;
    machine.crash(crash);
    return life;
  });
}

/**
 * Breaks the script off, and then has a mishap while the store is opened again.
 * @returns of that opening alone.
 */
export function runRecovery(mishap: RecoveryMishap, engine: EngineName = 'heap'): Promise<SweptLife> {
  return sweptLife(WRITES, engine, async (machine) => {
    const { scheduler } = machine;
    await live(machine, WRITES, mishap.endStep);
    machine.crash(mishap.crash);
    const before = lifeOf(machine);
    if (mishap.fault !== undefined) injectFault(machine, mishap.fault);
    const endStep = scheduler.stepCount + (mishap.recoverySteps ?? Infinity);
    await machine.open(() => scheduler.stepCount >= endStep);
    const life = lifeOf(machine);
    machine.isDiskFaulty = false;
    machine.crash(mishap.secondCrash);
    return difference(life, before);
  });
}

/** @param run leaves a machine on which the store is to be opened again. */
async function sweptLife(
  script: Script,
  name: EngineName,
  run: (machine: Machine) => Promise<SweptLife>,
): Promise<SweptLife> {
  const engine = engineNamed(name);
  // What is on disk has one version of each key.
  const isHistoryKept = script.plan.isHistoryKept && engine.setting === 'memory';
  const machine = new Machine(new SeededRandom(SEED), { ...script.plan, isHistoryKept }, { engine });
  let life: SweptLife | undefined;
  await onMachine(machine, async () => {
    life = await run(machine);
    await checkLeftovers(machine, script);
  });
  if (life === undefined) throw new Error('the script has not run');
  return life;
}

function injectFault(machine: Machine, fault: Fault): void {
  machine.isDiskFaulty = true;
  machine.disk.injectFault({ ...fault, exceptNow: true });
}

/** Two lives, so that the script also meets what recovery does. */
async function live(machine: Machine, script: Script, endStep: number): Promise<void> {
  const { scheduler } = machine;
  const isOver = (): boolean => scheduler.stepCount >= endStep;
  const watcher = new WatchClient('watch', new SeededRandom(SEED));
  for (let round = 1; round <= 2 && !isOver(); round++) {
    const store = await machine.open(isOver);
    if (store === undefined) return;
    watcher.recovered(machine.ledger.model.revision);
    follow(machine, store, watcher);
    const done = { isDone: false };
    script.runRound(machine, store, round).then(() => (done.isDone = true), machine.fail);
    await machine.runUntil(() => done.isDone || isOver());
    if (isOver() || !(await machine.close(store, isOver))) return;
    if (round === 1) machine.rest();
  }
}

/** Watches all the while, so that the log is read while it is written. */
function follow(machine: Machine, store: Store, watcher: WatchClient): void {
  const random = new SeededRandom(SEED);
  const workload = new Workload(random, machine.ledger.model, true);
  watcher.follow({ store, machine, random, workload }).catch(machine.fail);
}

function lifeOf(machine: Machine): SweptLife {
  return { stepCount: machine.scheduler.stepCount, countByCall: countCalls(machine.disk.dump()) };
}

function difference(life: SweptLife, before: SweptLife): SweptLife {
  const counts = [...life.countByCall].map(
    ([call, count]) => [call, count - (before.countByCall.get(call) ?? 0)] as const,
  );
  return {
    stepCount: life.stepCount - before.stepCount,
    countByCall: new Map(counts.filter(([, count]) => count > 0)),
  };
}

/** What was recovered must serve, and stand the loss of power again. */
async function checkLeftovers(machine: Machine, script: Script): Promise<void> {
  const random = new SeededRandom(SEED);
  for (const crash of ['losePower', 'endProcess'] as const) {
    const store = await machine.open(() => false);
    if (store === undefined) throw new Error('the store can not be opened');
    await checkOldRevisions(store, machine.ledger, random);
    script.check?.(machine, store);
    const done = { isDone: false };
    script.runRound(machine, store, 3).then(() => (done.isDone = true), machine.fail);
    await machine.runUntil(() => done.isDone);
    machine.crash(crash);
  }
  if ((await machine.open(() => false)) === undefined) throw new Error('the store can not be opened again');
}

/** Writes of every kind, some at once, with snapshots and a compaction between them. */
async function runRound(machine: Machine, store: Store, round: number): Promise<void> {
  const { ledger } = machine;
  const call = (operation: Operation): Promise<void> => ledger.call(store, operation);
  const put = (key: string, bytes: number, options: PutOptions = {}): Promise<void> => {
    const value = Buffer.alloc(bytes, `${key} of round ${round} `);
    return call({ kind: 'put', key, value, options });
  };
  await Promise.all([put('a', 10), put('b', 1500), put('dir/1', 20)]);
  await Promise.all([
    call({ kind: 'grantLease', ttlMs: 60_000, leaseId: round }),
    put(leaseKey(round), 5, { leaseId: round }),
    put('short', 5, { leaseId: round, ttlMs: 1 }),
  ]);
  // Nothing has removed it yet when it is written again, or when its lease ends.
  machine.scheduler.jump(10);
  if (round === 1) await put('short', 6);
  await call({ kind: 'increment', key: 'n1', delta: 3n, ttlMs: 0 });
  await snapshot(machine, store);
  await Promise.all([put('c', 2500), call({ kind: 'renewLease', leaseId: round }), put('d', 40)]);
  await call({
    kind: 'txn',
    request: {
      compares: [{ subject: { key: 'a' }, relation: 'equal', operand: { kind: 'exists', value: true } }],
      success: [
        { kind: 'delete', key: 'a' },
        { kind: 'put', key: 'dir/2', value: Buffer.alloc(1200, 'txn') },
        { kind: 'increment', key: 'n1', delta: -1n },
        { kind: 'put', key: 'a', value: 'again' },
        { kind: 'put', key: 'e', value: 'not for long' },
        { kind: 'deleteRange', range: { key: 'e' } },
        { kind: 'increment', key: 'n1', delta: -1n },
      ],
    },
  });
  await Promise.all([
    call({ kind: 'grantLease', ttlMs: 60_000, leaseId: 10 + round }),
    call({ kind: 'revokeLease', leaseId: 9 + round }),
  ]);
  await call({ kind: 'deleteRange', range: { prefix: 'dir/' }, inParts: false });
  await snapshot(machine, store);
  await backUp(store, machine, new SeededRandom(SEED));
  if (round === 2) {
    await compact(machine, store, ledger.seenRevision);
    await call({ kind: 'revokeLease', leaseId: 1 });
  }
  await Promise.all([put('z', 3000), put('a', 30)]);
}

export async function snapshot(machine: Machine, store: Store): Promise<void> {
  try {
    machine.ledger.flushed((await store.snapshot()).revision);
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'snapshotFailed' || !machine.isDiskFaulty)
      throw error;
  }
}

async function compact(machine: Machine, store: Store, revision: number): Promise<void> {
  if (revision === 0) return;
  machine.compactedRevision = revision;
  try {
    await store.compact(revision);
    machine.ledger.compacted(revision);
  } catch (error) {
    if (!(error instanceof StoreError) || !machine.ledger.hasFailed) throw error;
  }
}

/** From the lines "NUMBER CALL PATH ..." of the disk's dump. */
function countCalls(dump: string): ReadonlyMap<DiskCall, number> {
  const countByCall = new Map<DiskCall, number>();
  for (const [, call] of dump.matchAll(/^\d+ (\w+) /gm)) {
    countByCall.set(call as DiskCall, (countByCall.get(call as DiskCall) ?? 0) + 1);
  }
  return countByCall;
}
