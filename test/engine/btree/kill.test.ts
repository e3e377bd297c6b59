/** A process that is killed in the middle of a flush leaves the state of one commit, whole. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { nodeDisk } from '../../../src/disk/node-disk.ts';
import { verifyBtree } from '../../../src/engine/btree/verify-btree.ts';
import { SeededRandom } from '../../support/random.ts';
import { temporaryDirectory } from '../../support/test-server.ts';
import { deadlinesOf, hex, rowsOf, textOf } from './base-model.ts';
import { NOTES_OF, rowsAt } from './loop-state.ts';
import { openTestBase, STORE_ID } from './open-test-base.ts';

const SEED = Number(process.env['BTREE_SEED'] ?? 1);
const KILLS = Number(process.env['BTREE_KILLS'] ?? 12);
const LOOP = fileURLToPath(new URL('flush-loop.ts', import.meta.url));

class LoopProcess {
  readonly child: ChildProcess;
  /** The words of each line. */
  readonly lines: string[][] = [];
  /** What it wrote to its error output: nothing, warnings of Node's among it. */
  errors = '';
  #wake: (() => void)[] = [];

  constructor(directory: string, fileBytesMax?: number) {
    const limit = fileBytesMax === undefined ? '' : `ulimit -f ${fileBytesMax / 512}; `;
    const command = [process.execPath, LOOP, directory, hex(STORE_ID)];
    this.child = spawn('sh', ['-c', `${limit}exec "$@"`, 'sh', ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { stdout, stderr } = this.child;
    if (stdout === null || stderr === null) throw new Error('there is no output');
    stderr.setEncoding('utf8').on('data', (text: string) => (this.errors += text));
    createInterface({ input: stdout }).on('line', (line) => {
      this.lines.push(line.split(' '));
      for (const wake of this.#wake.splice(0)) wake();
    });
    onTestFinished(() => this.kill());
  }

  async line(holds: (words: readonly string[]) => boolean): Promise<readonly string[]> {
    for (;;) {
      const found = this.lines.find(holds);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'close');
    this.child.kill('SIGKILL');
    await ended;
  }

  /** The last revision that was so. */
  last(what: string): number {
    return Number(this.lines.findLast(([word]) => word === what)?.[1] ?? 0);
  }
}

test(
  `the state is that of a commit after each of ${KILLS} kills, seed ${SEED}`,
  { timeout: 180_000 },
  async () => {
    const random = new SeededRandom(SEED);
    const directory = `${await temporaryDirectory()}/base`;
    let revision = 0;
    for (let kill = 1; kill <= KILLS; kill++) {
      const loop = new LoopProcess(directory);
      const first = revision + 1;
      const wanted = first + random.below(4);
      const what = random.pick(['begun', 'done']);
      await loop.line(([word, at]) => word === what && Number(at) === wanted);
      // A moment that is bound to nothing.
      await delay(random.below(60));
      await loop.kill();
      expect(loop.errors).toBe('');

      const base = await openTestBase(directory);
      ({ revision } = base);
      const name = `seed ${SEED}, kill ${kill}, revision ${revision}`;
      expect(revision, name).toBeGreaterThanOrEqual(Math.max(first - 1, loop.last('done')));
      expect(revision, name).toBeLessThanOrEqual(loop.last('begun'));
      expect(hex(base.notes), name).toBe(hex(NOTES_OF(revision)));
      const rows = [...rowsAt(revision).values()].sort((left, right) => Buffer.compare(left.key, right.key));
      expect(rowsOf(base), name).toEqual(rows.map(textOf));
      expect(deadlinesOf(base).length, name).toBe(rows.filter((row) => row.expireTimeMs > 0).length);
      await base.close();
      const options = { disk: nodeDisk, clock: systemClock, onProgress: () => undefined };
      const report = await verifyBtree(`${directory}/kelp.sqlite`, options);
      expect(report, name).toMatchObject({ fault: undefined, rowCount: rows.length });
    }
    expect(revision).toBeGreaterThan(KILLS);
  },
);

test('a file that may not grow fails flushes, and loses nothing', async () => {
  const directory = `${await temporaryDirectory()}/base`;
  const loop = new LoopProcess(directory, 256 * 1024);
  const [, ...failure] = await loop.line(([word]) => word === 'failed');
  expect(failure.join(' ')).toMatch(
    /^(failed|noSpace) .*kelp.sqlite: it could not be written: .* \(SQLite \d+\)$/,
  );
  await loop.kill();
  const base = await openTestBase(directory);
  expect(base.revision).toBe(loop.last('done'));
  expect(rowsOf(base).length).toBe(rowsAt(base.revision).size);
});
