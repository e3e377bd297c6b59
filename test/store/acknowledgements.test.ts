import { describe, expect, it } from 'vitest';
import { StoreError } from '../../src/errors.ts';
import { Acknowledgements } from '../../src/store/commit/acknowledgements.ts';

describe('acknowledgements', () => {
  it('publish in order, then wake watches, then let results out', async () => {
    const { acknowledgements, log, events, commit, result } = make();
    commit('one');
    const first = result('first');
    commit('two');
    const second = result('second');
    commit('three');
    const third = result('third');
    acknowledgements.durable(2);
    await Promise.all([first, second]);
    expect(events).toEqual([
      'publish 1 one',
      'publish 2 two',
      'published 2',
      'result first',
      'result second',
    ]);
    expect(acknowledgements.visibleRevision).toBe(2);
    log.durableSequence = 3;
    acknowledgements.durable(3);
    await third;
    expect(events.slice(5)).toEqual(['publish 3 three', 'published 3', 'result third']);
  });

  it('let a result out at once when all that was committed is durable', async () => {
    const { log, result, commit, events, acknowledgements } = make();
    await result('nothing to wait for');
    commit('one');
    log.durableSequence = 1;
    acknowledgements.durable(1);
    await result('one is durable');
    expect(events.at(-1)).toBe('result one is durable');
  });

  it('wait for notes too, which publish nothing', async () => {
    const { acknowledgements, log, events, result } = make();
    log.committedSequence = 1;
    const renewal = result('renewal');
    acknowledgements.durable(0);
    expect(events).toEqual([]);
    acknowledgements.durable(1);
    await renewal;
    expect(events).toEqual(['result renewal']);
    expect(acknowledgements.visibleRevision).toBe(0);
  });

  it('refuse after a failure all that is not durable, and only that', async () => {
    const { acknowledgements, log, events, commit, result } = make();
    commit('one');
    const first = result('first');
    log.durableSequence = 1;
    acknowledgements.durable(1);
    commit('two');
    const second = result('second');
    const refused = result('refused', false);
    const whenChanged = new StoreError('storageFailed', 'the disk is gone');
    const whenUnchanged = new StoreError('readOnly', 'the disk was gone');
    acknowledgements.fail({ whenChanged, whenUnchanged });
    await first;
    await expect(second).rejects.toBe(whenChanged);
    await expect(refused).rejects.toBe(whenUnchanged);
    await expect(result('later')).rejects.toBe(whenUnchanged);
    expect(events).toEqual(['publish 1 one', 'published 1', 'result first']);
    expect(acknowledgements.visibleRevision).toBe(1);
  });
});

function make() {
  const log = { committedSequence: 0, durableSequence: 0 };
  const events: string[] = [];
  const acknowledgements: Acknowledgements<string> = new Acknowledgements<string>(
    log,
    0,
    (revision, staged) => events.push(`publish ${revision} ${staged}`),
    () => events.push(`published ${acknowledgements.visibleRevision}`),
  );
  /** Every record takes a revision here. */
  const commit = (staged: string): void => {
    log.committedSequence++;
    acknowledgements.committed(log.committedSequence, log.committedSequence, staged);
  };
  const result = async (name: string, hasChanged = true): Promise<void> => {
    events.push(`result ${await acknowledgements.whenDurable(name, hasChanged)}`);
  };
  return { acknowledgements, log, events, commit, result };
}
