/** By which time a follower judges its writer. */
import { describe, expect, it } from 'vitest';
import { Silence } from '../../../src/cluster/follower/silence.ts';
import type { LogHead } from '../../../src/shared-log/shared-log.ts';

function head(position: number, nonce = 'a'): LogHead {
  return { storeId: new Uint8Array(16), epoch: 1, position, checksum: position, logBytes: position, nonce };
}

describe('silence', () => {
  it('lasts from the first answer on that tells of nothing new', () => {
    const silence = new Silence(1000);
    silence.answered(head(5), 100);
    expect(silence.ms).toBe(0);
    silence.answered(head(5), 350);
    silence.answered(head(5), 600);
    expect(silence.ms).toBe(500);
  });

  it('ends with a record, and with another writer', () => {
    const silence = new Silence(1000);
    for (const next of [head(6), head(5, 'b')]) {
      silence.answered(head(5), 100);
      silence.answered(head(5), 400);
      silence.answered(next, 500);
      expect(silence.ms).toBe(0);
    }
  });

  it('counts nothing of a time in which the log did not answer, and begins anew behind it', () => {
    const silence = new Silence(1000);
    silence.answered(head(5), 0);
    silence.answered(head(5), 900);
    silence.unanswered();
    silence.answered(head(5), 1800);
    expect(silence.ms).toBe(0);
    silence.answered(head(5), 2000);
    expect(silence.ms).toBe(200);
  });

  it('counts nothing of a time that this process may have slept through', () => {
    const silence = new Silence(1000);
    silence.answered(head(5), 0);
    silence.answered(head(5), 60_000);
    expect(silence.ms).toBe(0);
  });
});
