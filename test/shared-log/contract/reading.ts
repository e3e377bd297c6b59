/** Reading: all of it, once, in order, and live. */
import { describe, expect, test } from 'vitest';
import { type LogWorld, batch, openNode, readTo, stored, textOf, won, writtenLog } from '../world.ts';

export function readingTests(name: string, newWorld: () => Promise<LogWorld>): void {
  describe(`a shared log, ${name}: reading`, () => {
    test('goes on live, over batches and new writers', async () => {
      const world = await newWorld();
      const { log, head } = await writtenLog(world, 1);
      const reading = readTo(openNode(world).log, 8);
      let next = head;
      for (const index of [2, 3]) next = stored(await log.append(next, batch(index)));
      next = won(await log.takeOver(next, 'second'));
      for (const index of [4, 5, 6]) next = stored(await log.append(next, batch(index)));
      expect(await reading).toEqual([
        '1 taken by first',
        '1 batch 1',
        '1 batch 2',
        '1 batch 3',
        '2 taken by second',
        '2 batch 4',
        '2 batch 5',
        '2 batch 6',
      ]);
    });

    test('begins anywhere, also at the place that comes next', async () => {
      const world = await newWorld();
      const { log, head } = await writtenLog(world, 2);
      const reading = readTo(openNode(world).log, 4, 4);
      stored(await log.append(head, batch(3)));
      expect(await reading).toEqual(['1 batch 3']);
    });

    test('has no gap and nothing twice while changes are forgotten and lists fail', async () => {
      const world = await newWorld();
      const { log, head } = await writtenLog(world);
      const reader = openNode(world);
      let lists = 0;
      reader.trouble.trouble = (call) => (call === 'list' && lists++ % 2 === 0 ? 'lost' : 'none');
      const reading = readTo(reader.log, 61);
      let next = head;
      for (let index = 1; index <= 60; index++) {
        next = stored(await log.append(next, batch(index)));
        if (index % 10 === 0) await world.forget();
      }
      expect(await reading).toEqual(await readTo(log, 61));
    });

    test('asks for no list while changes tell of all', async () => {
      const world = await newWorld();
      const { log, head } = await writtenLog(world, 1);
      const reader = openNode(world);
      let lists = 0;
      reader.trouble.trouble = (call) => {
        if (call === 'list') lists++;
        return 'none';
      };
      const end = new AbortController();
      const records = reader.log.read(2, end.signal)[Symbol.asyncIterator]();
      await records.next();
      let last = head;
      for (let name = 2; name <= 40; name++) {
        const next = records.next();
        last = stored(await log.append(last, batch(name)));
        await next;
      }
      end.abort();
      // A slow machine may be silent for long.
      if (!world.losesChanges) expect(lists).toBeLessThan(10);
    });

    test('finds by itself what changes do not tell of', async () => {
      const world = await newWorld();
      const { log, head } = await writtenLog(world, 1);
      const reader = openNode(world);
      reader.trouble.isMute = true;
      const end = new AbortController();
      const records = reader.log.read(2, end.signal)[Symbol.asyncIterator]();
      await records.next();
      const next = records.next();
      stored(await log.append(head, batch(2)));
      const { value } = await next;
      expect(value === undefined ? '' : textOf(value)).toBe('1 batch 2');
      end.abort();
    });

    test('waits for a record until its signal says otherwise', async () => {
      const { log } = await writtenLog(await newWorld());
      const end = new AbortController();
      const records = log.read(1, end.signal)[Symbol.asyncIterator]();
      const { value } = await records.next();
      expect(value === undefined ? '' : textOf(value)).toBe('1 taken by first');
      const next = records.next();
      end.abort(new Error('enough'));
      await expect(next).rejects.toThrow('enough');
      expect(() => log.read(0, end.signal)).toThrow(RangeError);
    });
  });
}
