import { describe, expect, test } from 'vitest';
import { StoreError } from '../../../src/errors.ts';
import { Acknowledgements, Answer } from '../../../src/store/commit/acknowledgements.ts';

describe('acknowledgements', () => {
  test('a result goes out at once when nothing is committed that is not durable', async () => {
    const { result, events } = make();
    await result('read');
    expect(events).toEqual(['result read']);
  });

  test('results go out in their order, each with the record that it depends on', async () => {
    const { acknowledgements, log, events, result } = make();
    log.committedSequence = 1;
    const first = result('first');
    log.committedSequence = 2;
    const second = result('second');
    const dependent = result('dependent', false);
    log.durableSequence = 1;
    acknowledgements.durable(1);
    await first;
    expect(events).toEqual(['result first']);
    log.durableSequence = 2;
    acknowledgements.durable(2);
    await Promise.all([second, dependent]);
    expect(events).toEqual(['result first', 'result second', 'result dependent']);
  });

  test('after a failure a call that changed something is told otherwise than one that did not', async () => {
    const { acknowledgements, log, events, result } = make();
    log.committedSequence = 1;
    const first = result('first');
    log.durableSequence = 1;
    acknowledgements.durable(1);
    await first;
    log.committedSequence = 2;
    const second = result('second');
    const refused = result('refused', false);
    const whenChanged = new StoreError('storageFailed', 'the disk is gone');
    const whenUnchanged = new StoreError('readOnly', 'the disk was gone');
    acknowledgements.fail({ whenChanged, whenUnchanged });
    await expect(second).rejects.toBe(whenChanged);
    await expect(refused).rejects.toBe(whenUnchanged);
    await expect(result('later', false)).rejects.toBe(whenUnchanged);
    expect(events).toEqual(['result first']);
  });
});

function make() {
  const log = { committedSequence: 0, durableSequence: 0 };
  const events: string[] = [];
  const acknowledgements = new Acknowledgements(log);
  const result = async (name: string, hasChanged = true): Promise<void> => {
    const answer = new Answer<string>();
    answer.result = name;
    answer.hasChanged = hasChanged;
    acknowledgements.add(answer);
    events.push(`result ${await answer.promise}`);
  };
  return { acknowledgements, log, events, result };
}
