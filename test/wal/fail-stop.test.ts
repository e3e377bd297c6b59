import { describe, expect, it } from 'vitest';
import { FailStop } from '../../src/wal/segments/fail-stop.ts';

describe('after the first failure', () => {
  it('nothing is begun any more', async () => {
    const told: Error[] = [];
    const failStop = new FailStop((error) => told.push(error));
    const failure = new Error('the first');
    await expect(failStop.run(() => Promise.reject(failure))).rejects.toBe(failure);
    let isBegun = false;
    const later = failStop.run(async () => {
      isBegun = true;
    });
    await expect(later).rejects.toBe(failure);
    expect(isBegun).toBe(false);
    expect(() => failStop.runNow(() => (isBegun = true))).toThrow(failure);
    expect(isBegun).toBe(false);
    expect(told).toEqual([failure]);
  });

  it('that came at once, neither', async () => {
    const told: Error[] = [];
    const failStop = new FailStop((error) => told.push(error));
    const failure = new Error('the first');
    const throwing = (): never => {
      throw failure;
    };
    const underWay = failStop.run(async () => 'done');
    expect(() => failStop.runNow(throwing)).toThrow(failure);
    await expect(underWay).rejects.toBe(failure);
    await expect(failStop.run(async () => 'done')).rejects.toBe(failure);
    expect(told).toEqual([failure]);
  });

  it('what was under way does not count as done, and its own failure is not told', async () => {
    const told: Error[] = [];
    const failStop = new FailStop((error) => told.push(error));
    const failure = new Error('the first');
    const succeeding = Promise.withResolvers<void>();
    const failing = Promise.withResolvers<void>();
    const underWay = [failStop.run(() => succeeding.promise), failStop.run(() => failing.promise)];
    await expect(failStop.run(() => Promise.reject(failure))).rejects.toBe(failure);
    succeeding.resolve();
    failing.reject(new Error('the second'));
    for (const operation of underWay) await expect(operation).rejects.toBe(failure);
    expect(told).toEqual([failure]);
  });
});
