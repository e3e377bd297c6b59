/** Lock files that a hand removes, or a whole directory, under a running server. */
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { temporaryDirectory } from '../support/test-server.ts';
import { audit, newLedgers } from './audit.ts';
import { openClients } from './clients.ts';
import { Load } from './load.ts';
import { ServerProcess } from './server-process.ts';

// Each starts several processes, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const TAKEN_AWAY =
  'the data directory was taken away: no write is accepted until the server is started again';

describe('a lock file that is removed under a running server', () => {
  test.each([['LOCK'], ['log/.lock']])('lets no second one in: %s', async (name) => {
    const dataDir = await temporaryDirectory();
    const ledgers = newLedgers();
    const owner = await ServerProcess.start({ dataDir });
    const { port } = owner;
    const { reader, writers } = openClients(port);
    const load = new Load({ clients: writers, ledgers, seed: 1 });
    await load.done(50);
    await rm(join(dataDir, name));
    const second = await ServerProcess.refused({ dataDir });
    expect(second.stderr).toContain('is in use by another store');
    await owner.logged(TAKEN_AWAY);
    await load.stop();
    await expect(reader.put('late', '1')).rejects.toMatchObject({
      code: 'readOnly',
      mayHaveTakenEffect: false,
    });
    await owner.end('SIGTERM');
    ledgers.leases.serverEnded();
    await ServerProcess.start({ dataDir, port });
    ledgers.leases.serverReady();
    expect((await audit(reader, ledgers, true)).faults).toEqual([]);
  });

  test('makes a second one wait, until the first has stopped, when all of them are', async () => {
    const dataDir = await temporaryDirectory();
    const ledgers = newLedgers();
    const owner = await ServerProcess.start({ dataDir });
    const { reader, writers } = openClients(owner.port);
    const load = new Load({ clients: writers, ledgers, seed: 1 });
    await load.done(50);
    await Promise.all([rm(join(dataDir, 'LOCK')), rm(join(dataDir, 'log/.lock'))]);
    const second = new ServerProcess({ dataDir });
    await second.logged(
      'the lock files of the store are gone: waiting for as long as another process that has it needs to notice',
    );
    await owner.logged(TAKEN_AWAY);
    await load.stop();
    await expect(reader.put('late', '1')).rejects.toMatchObject({ code: 'readOnly' });
    ledgers.leases.serverEnded();
    await second.logged('ready');
    ledgers.leases.serverReady();
    // All that the first has acknowledged, to the last.
    expect((await audit(openClients(second.port).reader, ledgers, true)).faults).toEqual([]);
  });

  test.each([['moved away'], ['removed']])(
    'stops the server, and so does a directory that was %s',
    async (how) => {
      const dataDir = join(await temporaryDirectory(), 'data');
      const owner = await ServerProcess.start({ dataDir });
      const { reader } = openClients(owner.port);
      await reader.put('k', '1');
      if (how === 'removed') await rm(dataDir, { recursive: true });
      else await rename(dataDir, `${dataDir}.old`);
      await owner.logged(TAKEN_AWAY);
      await expect(reader.put('late', '1')).rejects.toMatchObject({ code: 'readOnly' });
      expect((await reader.get('k')).entry?.text()).toBe('1');
      expect(await owner.end('SIGTERM')).toEqual({ code: 0, signal: null });
    },
  );
});
