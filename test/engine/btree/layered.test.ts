/** A layered engine over a base on disk, beside an engine in memory: with checkpoints under way, and behind a start. */
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { LayeredEngine } from '../../../src/engine/layered/layered-engine.ts';
import { MemoryEngine } from '../../../src/engine/memory/memory-engine.ts';
import type { Change } from '../../../src/engine/version.ts';
import { WorkBudget } from '../../../src/work-budget.ts';
import { SeededRandom } from '../../support/random.ts';
import { temporaryDirectory } from '../../support/test-server.ts';
import { bytes, deletion, put } from '../contract/changes.ts';
import { ALL, textOf } from './base-model.ts';
import { openTestBase } from './open-test-base.ts';

const SEED = Number(process.env['BTREE_SEED'] ?? 1);

/** All that is there now. */
function stateOf(engine: Engine, revision: number): unknown {
  const rows: string[] = [];
  const budget = new WorkBudget(100_000);
  engine.scan(ALL, revision, { reverse: false, budget }, (version) => rows.push(textOf(version)) > 0);
  const { keyCount } = engine.stats();
  const due = engine.due(2 ** 50, 50).map((key) => Buffer.from(key).toString('latin1'));
  const counts = [engine.count(ALL), engine.rank(ALL, bytes('key 150')), engine.nextDeadlineMs()];
  return { rows, keyCount, due, counts, middle: engine.select(ALL, Math.floor(keyCount / 2)) };
}

test(`checkpoints leave what an engine in memory has, seed ${SEED}`, { timeout: 120_000 }, async () => {
  const random = new SeededRandom(SEED);
  const directory = `${await temporaryDirectory()}/base`;
  const memory = new MemoryEngine();
  const open = async (): Promise<LayeredEngine> =>
    new LayeredEngine(await openTestBase(directory), { clock: systemClock }).open();
  let engine = await open();
  let revision = 0;

  const change = (): Change => {
    const key = `key ${100 + random.below(400)}`;
    revision++;
    if (random.chance(0.3)) return deletion(key, revision);
    const value = 'v'.repeat(random.pick([0, 5, 100, 5000]));
    const leaseId = random.pick([0, 0, 0, 7, 2 ** 50]);
    return put(key, revision, `${revision}${value}`, {
      leaseId,
      expireTimeMs: random.chance(0.3) ? 1000 + random.below(50) : 0,
    });
  };
  const applySome = (): void => {
    for (let count = random.below(300); count >= 0; count--) {
      const each = change();
      memory.apply(each);
      engine.apply(each);
    }
    expect(stateOf(engine, revision)).toEqual(stateOf(memory, revision));
  };

  for (let round = 1; round <= 12; round++) {
    applySome();
    const sealed = revision;
    engine.durable.seal(sealed);
    applySome();
    for (const each of [memory, engine]) each.compact(sealed);
    const committed = engine.durable.commit(Uint8Array.of(round));
    applySome();
    await committed;
    expect(engine.durable.revision).toBe(sealed);
    expect(stateOf(engine, revision)).toEqual(stateOf(memory, revision));
    if (round % 4 !== 0) continue;

    // What the log has is not there: so all is written before the end.
    engine.durable.seal(revision);
    for (const each of [memory, engine]) each.compact(revision);
    await engine.durable.commit(Uint8Array.of(round, 1));
    await engine.durable.close();
    engine = await open();
    expect([engine.durable.revision, engine.durable.notes]).toEqual([revision, Uint8Array.of(round, 1)]);
    expect(stateOf(engine, revision)).toEqual(stateOf(memory, revision));
    await engine.durable.compactStorage();
  }
  expect(engine.stats().keyCount).toBeGreaterThan(50);
});
