/** Trims: what is gone is told as such, and no place is written again. */
import { describe, expect, test } from 'vitest';
import { type LogWorld, batch, openNode, readTo, storeId, stored, won, writtenLog } from '../world.ts';

/** Of the records from a position on, as they lie there. */
async function lengthsFrom(world: LogWorld, position: number): Promise<number[]> {
  const { records } = await world.storage().list(position, 10, new AbortController().signal);
  return records.map(({ bytes }) => bytes.length);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

export function trimTests(name: string, newWorld: () => Promise<LogWorld>): void {
  describe(`a shared log, ${name}: trims`, () => {
    test('drop the records below, and readers there are told the oldest', async () => {
      const { log, trouble } = await writtenLog(await newWorld(), 9);
      trouble.next('trim', 'lost');
      await log.trim(6);
      await log.trim(6);
      await log.trim(2);
      await expect(readTo(log, 10)).rejects.toMatchObject({ code: 'trimmed', firstPosition: 6 });
      await expect(readTo(log, 10, 5)).rejects.toMatchObject({ code: 'trimmed', firstPosition: 6 });
      expect(await readTo(log, 10, 6)).toEqual([
        '1 batch 5',
        '1 batch 6',
        '1 batch 7',
        '1 batch 8',
        '1 batch 9',
      ]);
      await expect(log.trim(11)).rejects.toThrow(RangeError);
    });

    test('leave the newest, behind which it goes on', async () => {
      const { log, head } = await writtenLog(await newWorld(), 3);
      await log.trim(4);
      await expect(readTo(log, 4)).rejects.toMatchObject({ code: 'trimmed', firstPosition: 4 });
      expect(await log.head()).toEqual(head);
      const next = stored(await log.append(head, batch(4)));
      expect(next.position).toBe(5);
      expect(await readTo(log, 5, 4)).toEqual(['1 batch 3', '1 batch 4']);
    });

    test('leave it known where it begins, and what it holds', async () => {
      const world = await newWorld();
      await expect(openNode(world).log.beginning()).rejects.toMatchObject({ code: 'notInitialized' });
      const { log, head } = await writtenLog(world, 5);
      const lengths = await lengthsFrom(world, 1);
      expect(await log.beginning()).toMatchObject({ position: 1, bytesBefore: 0 });
      expect(head.logBytes).toBe(sum(lengths));
      await log.trim(4);
      const { log: next } = openNode(world);
      expect(await next.beginning()).toMatchObject({ position: 4, bytesBefore: sum(lengths.slice(0, 3)) });
      const taken = won(await next.takeOver(await next.head(), 'second'));
      expect(taken.logBytes - head.logBytes).toBe(sum(await lengthsFrom(world, 7)));
    });

    test('are needed for a log to begin later than where its first record comes', async () => {
      const { log } = openNode(await newWorld());
      await log.init(storeId);
      expect(await log.beginning()).toEqual({ position: 1, bytesBefore: 0 });
    });

    test('that come too late for their log drop nothing', async () => {
      const world = await newWorld();
      const { log } = await writtenLog(world, 4);
      // As one does that was on its way while the log was wiped and made anew.
      expect(await world.storage().trim(9, new AbortController().signal)).not.toBe('done');
      expect(await readTo(log, 5)).toHaveLength(5);
    });

    test('at the same time end at the highest', async () => {
      const world = await newWorld();
      const { log } = await writtenLog(world, 30);
      await Promise.all([5, 20, 10, 31, 15].map((before) => openNode(world).log.trim(before)));
      await expect(readTo(log, 31, 30)).rejects.toMatchObject({ code: 'trimmed', firstPosition: 31 });
    });

    test('never let a place be written again, nor what became of a batch be made up', async () => {
      const world = await newWorld();
      const first = await writtenLog(world, 2);
      const { log: second } = openNode(world);
      first.trouble.next('advance', 'late', async () => {
        let head = won(await second.takeOver(await second.head(), 'second'));
        head = stored(await second.append(head, batch(3)));
        await second.trim(head.position);
      });
      await expect(first.log.append(first.head, batch('late'))).rejects.toMatchObject({
        code: 'trimmed',
        mayHaveLanded: true,
        firstPosition: 5,
      });
      await first.trouble.arrive();
      expect(await readTo(second, 5, 5)).toEqual(['2 batch 3']);
      await expect(readTo(second, 5, 3)).rejects.toMatchObject({ code: 'trimmed' });
    });

    test('leave it open what became of a batch whose place they have dropped', async () => {
      const world = await newWorld();
      const first = await writtenLog(world, 2);
      first.trouble.next('advance', 'stalled');
      const open = { code: 'unavailable', mayHaveLanded: true };
      await expect(first.log.append(first.head, batch(3), { timeoutMs: 30 })).rejects.toMatchObject(open);
      const { log: second } = openNode(world);
      const head = won(await second.takeOver(await second.head(), 'second'));
      await second.trim(stored(await second.append(head, batch(4))).position);
      await expect(first.log.append(first.head, batch(3))).rejects.toMatchObject({
        code: 'trimmed',
        mayHaveLanded: true,
      });
    });

    test('overtake a reader that waits, which is told', async () => {
      const world = await newWorld();
      const { log, head } = await writtenLog(world, 1);
      const reader = openNode(world);
      reader.trouble.isMute = true;
      const end = new AbortController();
      const records = reader.log.read(1, end.signal)[Symbol.asyncIterator]();
      await records.next();
      await records.next();
      const next = records.next();
      let last = head;
      // It hears of none of them before they are trimmed.
      reader.trouble.trouble = (call) => (call === 'list' ? 'dropped' : 'none');
      for (let index = 2; index < 8; index++) last = stored(await log.append(last, batch(index)));
      await log.trim(last.position);
      reader.trouble.trouble = () => 'none';
      await expect(next).rejects.toMatchObject({ code: 'trimmed', firstPosition: 8 });
      end.abort();
    });
  });
}
