/** What every shared log has to do, as tests over any place for one. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { sharedLog as limits } from '../../src/limits.ts';
import { encodeHead } from '../../src/shared-log/head-format.ts';
import { encodeRecord } from '../../src/shared-log/record-format.ts';
import type { LogWorld } from './world.ts';
import { batch, openNode, readTo, setBack, storeId, stored, textOf, won, writtenLog } from './world.ts';

const otherId = Buffer.alloc(16, 7);

export function sharedLogTests(name: string, makeWorld: () => Promise<LogWorld> | LogWorld): void {
  async function newWorld(): Promise<LogWorld> {
    const world = await makeWorld();
    onTestFinished(() => world.close());
    return world;
  }

  describe(`a shared log, ${name}: its beginning and end`, () => {
    test('is made once, also when the reply to that is lost', async () => {
      const { log, trouble } = openNode(await newWorld());
      trouble.next('create', 'lost');
      const made = await log.init(storeId);
      expect(made).toMatchObject({ epoch: 0, position: 0 });
      expect(await log.head()).toEqual(made);
      expect(await log.init(storeId)).toBe('exists');
      expect(await log.init(otherId)).toBe('exists');
      expect(await log.head()).toEqual(made);
    });

    test('is made by one of two that try at the same time', async () => {
      const world = await newWorld();
      const [one, other] = [openNode(world), openNode(world)];
      one.trouble.next('create', 'lost');
      other.trouble.next('create', 'lost');
      const made = await Promise.all([one.log.init(storeId), other.log.init(otherId)]);
      expect(made.filter((result) => result === 'exists')).toHaveLength(1);
      expect(await one.log.head()).toEqual(made.find((result) => result !== 'exists'));
    });

    test('that was never made or was wiped is no empty one', async () => {
      const world = await newWorld();
      const { log } = openNode(world);
      await expect(log.head()).rejects.toMatchObject({ code: 'notInitialized' });
      const { log: written, head } = await writtenLog(world, 2);
      await world.wipe();
      const wiped = { code: 'notInitialized', mayHaveLanded: false };
      await expect(written.head()).rejects.toMatchObject({ code: 'notInitialized' });
      await expect(written.append(head, batch(3))).rejects.toMatchObject(wiped);
      await expect(written.takeOver(head, 'again')).rejects.toMatchObject(wiped);
      await expect(written.trim(2)).rejects.toMatchObject({ code: 'notInitialized' });
      await expect(readTo(written, 1)).rejects.toMatchObject({ code: 'notInitialized' });
    });

    test('is not made over what is left of another', async () => {
      const world = await newWorld();
      await writtenLog(world, 3);
      await world.putHead(undefined);
      const { log: next } = openNode(world);
      await expect(next.init(otherId)).rejects.toMatchObject({ code: 'damaged' });
      await expect(next.head()).rejects.toMatchObject({ code: 'notInitialized' });
    });

    test('that was made anew is another one for those that knew the one before', async () => {
      const world = await newWorld();
      const { log } = await writtenLog(world, 3);
      await world.wipe();
      expect(await openNode(world).log.init(otherId)).not.toBe('exists');
      await expect(log.head()).rejects.toMatchObject({ code: 'otherStore' });
      await expect(readTo(log, 3)).rejects.toMatchObject({ code: 'otherStore' });
    });

    test('of another store is refused', async () => {
      const world = await newWorld();
      const { head } = await writtenLog(world, 1);
      const { log } = openNode(world, otherId);
      await expect(log.head()).rejects.toMatchObject({ code: 'otherStore' });
      await expect(readTo(log, 1)).rejects.toMatchObject({ code: 'otherStore' });
      await expect(log.takeOver({ ...head, storeId: otherId }, 'stranger')).rejects.toMatchObject({
        code: 'otherStore',
      });
      expect(await readTo(openNode(world).log, 2)).toEqual(['1 taken by first', '1 batch 1']);
    });

    test('that was set back to an older state is told', async () => {
      const world = await newWorld();
      const { log, head } = await writtenLog(world, 3);
      await log.head();
      await setBack(world, { ...head, position: 2 });
      const back = { code: 'wentBack' };
      await expect(log.head()).rejects.toMatchObject(back);
      await expect(log.append(head, batch(4))).rejects.toMatchObject(back);
      await expect(log.takeOver(head, 'again')).rejects.toMatchObject(back);
      await expect(readTo(openNode(world).log, 4, 4)).rejects.toMatchObject(back);
      // Also when it has grown since.
      await setBack(world, { ...head, epoch: 2, position: 9 });
      await expect(log.head()).rejects.toMatchObject(back);
    });

    test('whose head can not be read, or that has a hole, is damaged', async () => {
      const world = await newWorld();
      const { log, head } = await writtenLog(world, 4);
      await world.removeRecord(3);
      await expect(readTo(log, 5)).rejects.toMatchObject({ code: 'damaged', message: /position 3/ });
      expect(await readTo(log, 5, 4)).toEqual(['1 batch 3', '1 batch 4']);
      await world.putHead(Buffer.from('{"format":2}'));
      await expect(log.head()).rejects.toMatchObject({ code: 'damaged' });
      await expect(log.append(head, batch(5))).rejects.toMatchObject({ code: 'damaged' });
    });

    test('with a record of an epoch that is over is damaged', async () => {
      const world = await newWorld();
      const { log, head } = await writtenLog(world, 1);
      const taken = won(await log.takeOver(head, 'second'));
      const next = { ...taken, position: taken.position + 1 };
      const { position } = next;
      const record = encodeRecord({ kind: 'batch', epoch: 1, position, bytes: batch('old') }, storeId);
      const advance = { expected: encodeHead(taken), head: encodeHead(next), position, record };
      expect(await world.storage().advance(advance, new AbortController().signal)).toBe('done');
      await expect(readTo(log, position)).rejects.toMatchObject({ code: 'damaged' });
    });

    test('breaks off its calls when it is closed', async () => {
      const { log, trouble, head } = await writtenLog(await newWorld(), 1);
      trouble.next('advance', 'stalled');
      const append = log.append(head, batch(2));
      const reading = readTo(log, 3);
      log.close();
      await expect(append).rejects.toMatchObject({ code: 'closed', mayHaveLanded: true });
      await expect(reading).rejects.toMatchObject({ code: 'closed' });
      await expect(log.head()).rejects.toMatchObject({ code: 'closed' });
    });
  });

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

  describe(`a shared log, ${name}: taking over`, () => {
    test('fences the writer before', async () => {
      const world = await newWorld();
      const { log, head } = await writtenLog(world, 1);
      const { log: next } = openNode(world);
      const taken = won(await next.takeOver(await next.head(), 'second'));
      expect(taken).toMatchObject({ epoch: 2, position: 3 });
      expect(await log.append(head, batch('late'))).toBe('fenced');
      expect(await log.append(head, batch('late'))).toBe('fenced');
      const end = stored(await next.append(taken, batch(2)));
      expect(await log.append(head, batch('late'))).toBe('fenced');
      expect(await log.head()).toEqual(end);
      expect(await readTo(log, 4)).toEqual([
        '1 taken by first',
        '1 batch 1',
        '2 taken by second',
        '2 batch 2',
      ]);
    });

    test('is lost when the writer has gone on', async () => {
      const world = await newWorld();
      const { log, head } = await writtenLog(world, 1);
      const { log: next } = openNode(world);
      const seen = await next.head();
      const end = stored(await log.append(head, batch(2)));
      expect(await next.takeOver(seen, 'second')).toBe('lost');
      expect(await log.head()).toEqual(end);
    });

    test('is won by one of those that saw the same head, whatever becomes of the replies', async () => {
      const world = await newWorld();
      const { head } = await writtenLog(world, 1);
      let seen = head;
      for (const troubles of [
        ['none', 'none', 'none'],
        ['lost', 'none', 'none'],
        ['lost', 'lost', 'lost'],
        ['dropped', 'lost', 'none'],
        ['late', 'lost', 'late'],
      ] as const) {
        const nodes = troubles.map((trouble) => {
          const node = openNode(world);
          node.trouble.next('advance', trouble);
          return node;
        });
        const results = await Promise.all(nodes.map(({ log }, index) => log.takeOver(seen, `node ${index}`)));
        for (const { trouble } of nodes) await trouble.arrive();
        const winners = results.filter((result) => result !== 'lost');
        expect(winners).toHaveLength(1);
        seen = await openNode(world).log.head();
        expect(winners).toEqual([seen]);
      }
      const epochs = (await readTo(openNode(world).log, seen.position)).map((text) => text.slice(0, 1));
      expect(epochs).toEqual(['1', '1', '2', '3', '4', '5', '6']);
    });

    test('leaves an append of the writer before stored, when it was, and fenced, when it was not', async () => {
      const world = await newWorld();
      const first = await writtenLog(world);
      const { log: second } = openNode(world);
      const takeOver = async (): Promise<void> => {
        won(await second.takeOver(await second.head(), 'second'));
      };
      first.trouble.next('advance', 'lost', takeOver);
      const next = stored(await first.log.append(first.head, batch(1)));
      expect(await first.log.append(next, batch(2))).toBe('fenced');
      const third = openNode(world);
      const head = won(await third.log.takeOver(await third.log.head(), 'third'));
      third.trouble.next('advance', 'dropped', takeOver);
      expect(await third.log.append(head, batch(3))).toBe('fenced');
      expect(await readTo(second, 5)).toEqual([
        '1 taken by first',
        '1 batch 1',
        '2 taken by second',
        '3 taken by third',
        '4 taken by second',
      ]);
    });

    test('keeps out an append that arrives after it', async () => {
      const world = await newWorld();
      const first = await writtenLog(world);
      const { log: second } = openNode(world);
      first.trouble.next('advance', 'late', async () => {
        won(await second.takeOver(await second.head(), 'second'));
      });
      expect(await first.log.append(first.head, batch('late'))).toBe('fenced');
      await first.trouble.arrive();
      expect(await second.head()).toMatchObject({ epoch: 2, position: 2 });
      expect(await readTo(second, 2)).toEqual(['1 taken by first', '2 taken by second']);
    });

    test('that is broken off has not won, and the next one goes on from there', async () => {
      const world = await newWorld();
      const { log, trouble, head } = await writtenLog(world);
      trouble.trouble = (call) => (call === 'advance' ? 'lost' : 'none');
      const taken = log.takeOver(head, 'second', { timeoutMs: 100 });
      await expect(taken).rejects.toMatchObject({ code: 'unavailable', mayHaveLanded: true });
      trouble.trouble = () => 'none';
      expect(await log.takeOver(head, 'second')).toBe('lost');
      expect(won(await log.takeOver(await log.head(), 'second'))).toMatchObject({ epoch: 3, position: 3 });
    });
  });

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
