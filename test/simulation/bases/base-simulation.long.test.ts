import { describe, expect, test } from 'vitest';
import type { Disk } from '../../../src/disk/disk.ts';
import { partUnlessWhole, places, rounds, timeLimitMs } from '../../support/share.ts';
import type { DiskCall, Fault } from '../../support/simulated-fault.ts';
import { withCalls, withFiles } from '../../support/wrapped-disk.ts';
import type { CrashKind } from '../machine.ts';
import { baseNames, openBaseByName } from './base-names.ts';
import { type BaseMishap, runBaseScript, simulateBase } from './base-simulation.ts';

const TIMEOUT_MS = timeLimitMs(900_000);
const SCHEDULES = 800;
/** One that flushes, merges and forgets. */
const SCRIPT_SEED = 4;
const CRASHES: readonly CrashKind[] = ['endProcess', 'losePower'];
const CHANGING_CALLS: readonly DiskCall[] = ['write', 'sync', 'syncDirectory', 'create', 'rename', 'remove'];

describe.each(baseNames)('a simulated %s base', (name) => {
  const openBase = openBaseByName[name];
  const run = (mishap: BaseMishap) => runBaseScript(SCRIPT_SEED, { openBase }, mishap);

  test(
    'holds one of two states after every crash, in every schedule',
    async () => {
      for (let seed = 1; seed <= rounds(SCHEDULES); seed++)
        await simulateBase(seed, { openBase }).catch(during(`seed ${seed}`));
    },
    TIMEOUT_MS,
  );

  test(
    'stands a crash before and after every call of the disk, and one in the start behind it',
    async () => {
      const clean = await run({ crash: 'endProcess' });
      for (const endStep of places(clean.stepCount + 1, partUnlessWhole(0.5))) {
        const crash = CRASHES[endStep % 2] ?? 'losePower';
        const { recoveryStepCount } = await run({ endStep, crash }).catch(during(`step ${endStep}`));
        const recoverySteps = (endStep * 7) % recoveryStepCount;
        await run({ endStep, crash, recoverySteps }).catch(
          during(`step ${endStep}, and ${recoverySteps} steps into the start`),
        );
      }
    },
    TIMEOUT_MS,
  );

  test(
    'stands a fault of every call of the disk',
    async () => {
      const clean = await run({ crash: 'endProcess' });
      const faults = [...clean.countByCall].flatMap(([call, count]) =>
        Array.from({ length: count }, (_, index) => faultsOf(call, index + 1)).flat(),
      );
      expect(faults.length).toBeGreaterThan(50);
      for (const place of places(faults.length, partUnlessWhole(0.5))) {
        const fault = faults[place];
        if (fault === undefined) continue;
        for (const crash of CRASHES) await run({ fault, crash }).catch(during(JSON.stringify(fault)));
      }
    },
    TIMEOUT_MS,
  );
});

describe.each(['lsm', 'bitcask'] as const)('a simulated %s base', (name) => {
  const run = (mishap: BaseMishap) => runBaseScript(SCRIPT_SEED, { openBase: openBaseByName[name] }, mishap);

  test(
    'holds one of the states from before a start that a full disk has left unsettled, wherever that life ends',
    async () => {
      const { countByCall } = await run({ crash: 'endProcess' });
      let olderCount = 0;
      // The first one is that of the empty base.
      for (const place of places((countByCall.get('rename') ?? 0) - 1)) {
        // The next start finds it, and it may be lost all the same.
        const fault = { call: 'rename', at: place + 2, effect: 'whole' } as const;
        const first = { fault, crash: 'endProcess' } as const;
        for (const isPermanent of [true, false]) {
          // All writes, or the first alone, which is that of the start: then the life goes on to settle it.
          const mishap = { ...first, laterFault: { call: 'write', code: 'noSpace', isPermanent } } as const;
          const life = await run(mishap).catch(during(JSON.stringify(mishap)));
          olderCount += life.olderCount;
          for (const share of [0.1, 0.3, 0.5, 0.7, 0.9]) {
            const recoverySteps = Math.floor(life.recoveryStepCount * share);
            const broken = { ...mishap, recoverySteps };
            olderCount += (await run(broken).catch(during(JSON.stringify(broken)))).olderCount;
          }
        }
      }
      expect(olderCount).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );
});

/** What is written is only said to be on disk. */
const LIES: readonly (readonly [string, (disk: Disk) => Disk])[] = [
  ['a file', (disk) => withFiles(disk, () => ({ sync: () => Promise.resolve() }))],
  ['a run', (disk) => withoutSync(disk, '.run')],
  ['the notes', (disk) => withoutSync(disk, '.notes')],
  ['the manifest', (disk) => withoutSync(disk, 'manifest.new')],
  [
    'a folder',
    (disk) =>
      withCalls(disk, {
        syncDirectory: () => Promise.resolve(),
        openDirectory: async () => ({ sync: () => Promise.resolve(), close: () => Promise.resolve() }),
      }),
  ],
];

/** The disk, whose files of names that end so are only said to be flushed. */
function withoutSync(disk: Disk, pathEnd: string): Disk {
  const lying = withFiles(disk, () => ({ sync: () => Promise.resolve() }));
  return withCalls(disk, {
    create: (path) => (path.endsWith(pathEnd) ? lying : disk).create(path),
    open: (path, mode) => (path.endsWith(pathEnd) ? lying : disk).open(path, mode),
  });
}

describe.each(['lsm', 'bitcask'] as const)('a simulated %s base is found out', (name) => {
  test.each(LIES)('when the disk only claims to have flushed %s', async (_what, wrapDisk) => {
    expect(await failureWithin(50, { openBase: openBaseByName[name], wrapDisk })).toMatch(
      /was recovered|damaged|there is|notFound/,
    );
  });
});

async function failureWithin(
  schedules: number,
  options: Parameters<typeof simulateBase>[1],
): Promise<string | undefined> {
  for (let seed = 1; seed <= schedules; seed++) {
    try {
      await simulateBase(seed, options);
    } catch (error) {
      return (error as Error).message;
    }
  }
  return undefined;
}

/** An error of the device once, with all that it may have done; and a disk that is full from then on. */
function faultsOf(call: DiskCall, at: number): Fault[] {
  const effects = CHANGING_CALLS.includes(call) ? (['none', 'part', 'whole'] as const) : (['none'] as const);
  return [
    ...effects.map((effect): Fault => ({ call, at, code: 'failed', effect })),
    { call, at, code: 'noSpace', isPermanent: true },
  ];
}

function during(where: string): (error: unknown) => never {
  return (error) => {
    throw new Error(`with ${where}: ${(error as Error).message}`, { cause: error });
  };
}
