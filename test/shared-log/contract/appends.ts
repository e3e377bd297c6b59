/** Appends: told right, whatever becomes of their replies. */
import { describe, expect, test } from 'vitest';
import { sharedLog as limits } from '../../../src/limits.ts';
import { type LogWorld, batch, openNode, readTo, storeId, stored, writtenLog } from '../world.ts';

export function appendTests(name: string, newWorld: () => Promise<LogWorld>): void {
  describe(`a shared log, ${name}: appends`, () => {
    test('come back in their order, with what they were', async () => {
      const { log } = await writtenLog(await newWorld(), 100);
      const texts = await readTo(log, 101);
      expect(texts).toEqual([
        '1 taken by first',
        ...Array.from({ length: 100 }, (_, index) => `1 batch ${index + 1}`),
      ]);
    });

    test('may be as long as the limit, and no longer', async () => {
      const { log, head } = await writtenLog(await newWorld());
      const longest = Buffer.alloc(limits.batchBytesMax, 'x');
      let next = head;
      for (let count = 0; count < 6; count++) next = stored(await log.append(next, longest));
      expect((await readTo(log, 7)).map((text) => text.length)).toEqual([
        16,
        ...Array.from({ length: 6 }, () => longest.length + 2),
      ]);
      expect(() => log.append(next, Buffer.alloc(limits.batchBytesMax + 1))).toThrow(RangeError);
      expect(() => log.append(next, new Uint8Array())).toThrow(RangeError);
    });

    test('are in each head that is asked for behind them, also while many are', async () => {
      const world = await newWorld();
      const { log, head } = await writtenLog(world);
      let last = head;
      const asked: Promise<void>[] = [];
      for (let index = 1; index <= 50; index++) {
        last = stored(await log.append(last, batch(index)));
        const { position } = last;
        asked.push(log.head().then((now) => expect(now.position).toBeGreaterThanOrEqual(position)));
      }
      await Promise.all(asked);
    });

    test('are told right when the reply is lost, stored or not, and lie there once', async () => {
      const { log, trouble, head } = await writtenLog(await newWorld());
      let next = head;
      for (const [index, kind] of (['lost', 'dropped', 'late', 'none'] as const).entries()) {
        trouble.next('advance', kind);
        next = stored(await log.append(next, batch(index)));
        await trouble.arrive();
      }
      expect(await log.head()).toEqual(next);
      expect(await readTo(log, 5)).toEqual([
        '1 taken by first',
        '1 batch 0',
        '1 batch 1',
        '1 batch 2',
        '1 batch 3',
      ]);
    });

    test('that ran out of time may be tried again at the same place', async () => {
      const { log, trouble, head } = await writtenLog(await newWorld());
      trouble.trouble = (call) => (call === 'advance' ? 'lost' : 'none');
      const open = { code: 'unavailable', mayHaveLanded: true };
      await expect(log.append(head, batch(1), { timeoutMs: 300 })).rejects.toMatchObject(open);
      trouble.trouble = (call) => (call === 'advance' ? 'stalled' : 'none');
      await expect(log.append(head, batch(1), { timeoutMs: 30 })).rejects.toMatchObject(open);
      trouble.trouble = () => 'none';
      const next = stored(await log.append(head, batch(1)));
      stored(await log.append(next, batch(2)));
      expect(await readTo(log, 3)).toEqual(['1 taken by first', '1 batch 1', '1 batch 2']);
    });

    test('with other bytes are refused where one lies already', async () => {
      const { log, head } = await writtenLog(await newWorld());
      const next = stored(await log.append(head, batch(1)));
      await expect(log.append(head, batch('other'))).rejects.toMatchObject({ code: 'placeTaken' });
      expect(await log.append(head, batch(1))).toEqual(next);
      expect(await log.head()).toEqual(next);
    });

    test('that an earlier try may have stored say so, whatever the last one meets', async () => {
      const world = await newWorld();
      const { log, trouble, head } = await writtenLog(world);
      trouble.next('advance', 'dropped', () => world.wipe());
      await expect(log.append(head, batch(1))).rejects.toMatchObject({
        code: 'notInitialized',
        mayHaveLanded: true,
      });
    });

    test('end with their signal, and say so with its reason', async () => {
      const { log, trouble, head } = await writtenLog(await newWorld());
      const abort = new AbortController();
      trouble.next('advance', 'stalled');
      const append = log.append(head, batch(1), { signal: abort.signal });
      abort.abort(new Error('enough'));
      await expect(append).rejects.toThrow('enough');
      await expect(log.append(head, batch(1), { signal: abort.signal })).rejects.toThrow('enough');
      await expect(log.head({ signal: abort.signal })).rejects.toThrow('enough');
    });

    test('need a writer', async () => {
      const { log } = openNode(await newWorld());
      const made = await log.init(storeId);
      if (made === 'exists') throw new Error('there is a log already');
      expect(() => log.append(made, batch(1))).toThrow(RangeError);
    });
  });
}
