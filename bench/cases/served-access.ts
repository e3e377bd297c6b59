/**
 * What it costs to ask whether a call is allowed: a Get over gRPC with open access, of root, and of a user whose role has a grant of
 * one prefix, with a password in each request. Two servers of the same keys, the one open and the other closed, are asked by turns, and
 * the processor time of each for one call is compared: the clock says little on a busy machine.
 */
import { writeFile } from 'node:fs/promises';
import { Access } from '../../src/access/access.ts';
import { addGrant, createRole, createUser } from '../../src/access/records/access-records.ts';
import { makeRoot } from '../../src/access/root.ts';
import { systemClock, systemRandom } from '../../src/clock.ts';
import { openUncheckedStore } from '../../src/kv/open-store.ts';
import { toEngineRange } from '../../src/store/views/range.ts';
import { NO_BYTES } from '../../src/wire/bytes.ts';
import { type BenchCase, type CaseContext, operationCount } from '../bench-case.ts';
import { keyOf } from '../load/data.ts';
import { runH2load } from '../load/h2load.ts';
import { GET_PATH, getRequest } from '../load/kelp-requests.ts';
import { startKelp } from '../load/kelp-server.ts';
import { cpuSecondsOf } from '../load/process-figures.ts';
import { fillStore, openBenchStore } from '../load/store.ts';

const PASSWORD = 'a password of the bench';
const REQUEST_COUNT = 500_000;
const CPU_SECONDS_MIN = 0.01;
const MICROS_PER_SECOND = 1e6;
const KEY_PREFIX_CHARACTERS = 4;

interface Caller {
  readonly name: string;
  readonly url: string;
  readonly processId: number;
  /** Of `h2load`. */
  readonly headers: readonly string[];
  /** Processor time of its server, in microseconds a call. */
  readonly micros: number[];
}

export const servedAccess: BenchCase = {
  async prepare(context) {
    for (const name of ['open', 'closed']) {
      const store = await openBenchStore(context, directoryOf(context, name), 'never');
      await fillStore(store, context.keyCount);
      await store.snapshot();
      await store.close();
    }
    await closeAccess(directoryOf(context, 'closed'));
  },

  async run(context) {
    const open = await startKelp(context, directoryOf(context, 'open'), 'never');
    const closed = await startKelp(context, directoryOf(context, 'closed'), 'never');
    try {
      const caller = (name: string, { ready, processId }: typeof open, user?: string): Caller => ({
        name,
        url: `http://${ready}${GET_PATH}`,
        processId,
        headers: user === undefined ? [] : [`--header=authorization: ${basic(user)}`],
        micros: [],
      });
      const callers = [
        caller('open access', open),
        caller('root', closed, 'root'),
        caller('a user with one grant', closed, 'reader'),
      ];
      if (!(await measureByTurns(context, callers))) return context.reportMissing('h2load is not installed');
      for (const { name, micros } of callers) {
        context.report({
          name: `get, ${name}, processor time of the server a call`,
          unit: 'µs',
          samples: micros,
        });
      }
      const [base, ...others] = callers;
      for (const { name, micros } of others) {
        const samples = micros.map((each, index) => each / (base?.micros[index] ?? NaN));
        context.report({ name: `get, ${name}, against open access`, unit: 'ratio', samples });
      }
    } finally {
      await open.stop();
      await closed.stop();
    }
  },
};

function directoryOf({ directory }: CaseContext, name: string): string {
  return `${directory}/${name}`;
}

async function closeAccess(dataDir: string): Promise<void> {
  const store = await openUncheckedStore({ dataDir });
  const access = new Access({ store, clock: systemClock, random: systemRandom });
  await makeRoot(access, PASSWORD);
  const password = await access.logins.passwords.hash(PASSWORD);
  const { start, end = NO_BYTES } = toEngineRange({ prefix: keyOf(0).slice(0, KEY_PREFIX_CHARACTERS) });
  await access.change((draft) => {
    createRole(draft, 'reader');
    addGrant(draft, 'reader', { start, end, mayRead: true, mayWrite: false, isAdmin: false });
    createUser(draft, 'reader', { password, roles: ['reader'], nowMs: systemClock.nowMs() });
  });
  await store.close();
}

function basic(user: string): string {
  return `Basic ${Buffer.from(`${user}:${PASSWORD}`).toString('base64')}`;
}

/** @returns false when `h2load` is not installed. */
async function measureByTurns(context: CaseContext, callers: readonly Caller[]): Promise<boolean> {
  const bodyFile = `${context.directory}/h2load-body`;
  const message = getRequest(keyOf(0));
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  await writeFile(bodyFile, Buffer.concat([prefix, message]));
  const count = operationCount(context, REQUEST_COUNT);
  // What the first times compile is not counted.
  for (let repetition = 0; repetition <= context.repetitions; repetition++) {
    for (const { url, processId, headers, micros } of callers) {
      const before = await cpuSecondsOf(processId);
      const rate = await runH2load([
        '--clients=8',
        '--max-concurrent-streams=32',
        `--requests=${count}`,
        `--data=${bodyFile}`,
        '--header=content-type: application/grpc',
        '--header=te: trailers',
        ...headers,
        url,
      ]);
      if (rate === undefined) return false;
      const seconds = Math.max(CPU_SECONDS_MIN, (await cpuSecondsOf(processId)) - before);
      if (repetition > 0) micros.push((seconds * MICROS_PER_SECOND) / count);
    }
  }
  return true;
}
