/** The conformance script finds what is wrong with a client: each fault fails the script that is about it. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runScript } from './conformance.ts';
import { FAULTS } from './faults.ts';
import { scriptsOf } from './steps.ts';

const DRIVER = fileURLToPath(new URL('faulty-driver.ts', import.meta.url));

test.each(Object.entries(FAULTS))(
  'a client that %s',
  { timeout: 180_000 },
  async (fault, { subject, script, told }) => {
    const found = scriptsOf(subject).find(({ name }) => name.startsWith(script));
    if (found === undefined) throw new Error(`no script of ${subject} begins with "${script}"`);
    const run = runScript(found, [process.execPath, DRIVER, fault], { patienceMs: 20_000 });
    await expect(run).rejects.toThrow(told);
  },
);
