import { describe, expect, it } from 'vitest';
import { openStore } from '../../../src/kv/open-store.ts';
import { refused } from '../model/readable.ts';

/** As a program in JavaScript may call it. */
function openWith(options: object): Promise<unknown> {
  return openStore({ dataDir: '/never', ...options });
}

describe('openStore', () => {
  it('refuses a policy that there is not, instead of flushing never', async () => {
    await refused(openWith({ fsync: 'sometimes' }), 'invalidArgument');
    await refused(openWith({ fsync: '' }), 'invalidArgument');
  });

  it('refuses options and limits that it does not know', async () => {
    await expect(openWith({ fsnc: 'always' })).rejects.toThrow(
      'openStore has no option "fsnc" (did you mean "fsync"?)',
    );
    await expect(openWith({ limits: { keysMax: 5 } })).rejects.toThrow('limits has no member "keysMax"');
  });
});
