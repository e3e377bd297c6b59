/** One question for all reads that wait, and none that was asked before they came. */
import { describe, expect, it } from 'vitest';
import { ReadBarrier } from '../../../src/cluster/reads/read-barrier.ts';
import { RisingNumber } from '../../../src/cluster/waits/rising-number.ts';

/** A barrier whose questions a test answers. */
class Asked {
  readonly questions: PromiseWithResolvers<number>[] = [];
  readonly position = new RisingNumber(0);
  readonly barrier = new ReadBarrier(
    () => {
      const question = Promise.withResolvers<number>();
      this.questions.push(question);
      return question.promise;
    },
    (position) => this.position.reached(position),
  );
  readonly passed: string[] = [];

  read(name: string, signal?: AbortSignal): Promise<void> {
    return this.barrier.wait(signal).then(() => void this.passed.push(name));
  }

  async answer(position: number): Promise<void> {
    await settled();
    this.questions.at(-1)?.resolve(position);
    await settled();
  }
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('a read barrier', () => {
  it('asks once for those that wait, and anew for those that come while a question is under way', async () => {
    const asked = new Asked();
    void asked.read('first');
    await settled();
    void asked.read('second');
    void asked.read('third');
    expect(asked.questions).toHaveLength(1);
    await asked.answer(0);
    expect(asked.passed).toEqual(['first']);
    expect(asked.questions).toHaveLength(2);
    await asked.answer(0);
    expect(asked.passed).toEqual(['first', 'second', 'third']);
    expect(asked.questions).toHaveLength(2);
  });

  it('is passed when the position of the answer is visible', async () => {
    const asked = new Asked();
    void asked.read('read');
    await asked.answer(7);
    asked.position.riseTo(6);
    await settled();
    expect(asked.passed).toEqual([]);
    asked.position.riseTo(8);
    await settled();
    expect(asked.passed).toEqual(['read']);
  });

  it('fails those that asked, and serves those that come later', async () => {
    const asked = new Asked();
    const failed = asked.read('failed');
    await settled();
    asked.questions[0]?.reject(new Error('no answer'));
    await expect(failed).rejects.toThrow('no answer');
    void asked.read('later');
    await settled();
    await asked.answer(0);
    expect(asked.passed).toEqual(['later']);
  });

  it('lets each go by its own signal', async () => {
    const asked = new Asked();
    const end = new AbortController();
    const left = asked.read('left', end.signal);
    void asked.read('stayed');
    end.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    await asked.answer(0);
    expect(asked.passed).toEqual(['stayed']);
  });
});

describe('a rising number', () => {
  it('tells who waits when it ends', async () => {
    const number = new RisingNumber(3);
    await number.reached(3);
    const waiting = number.reached(4);
    number.fail(new Error('over'));
    await expect(waiting).rejects.toThrow('over');
    await expect(number.reached(5)).rejects.toThrow('over');
    await number.reached(2);
  });
});
