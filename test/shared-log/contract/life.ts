/** Its beginning and end: made once, and told when it is not what it was. */
import { describe, expect, test } from 'vitest';
import { encodeHead } from '../../../src/shared-log/head-format.ts';
import { recordBehind } from '../../../src/shared-log/record-format.ts';
import type { LogHead } from '../../../src/shared-log/shared-log.ts';
import { type LogWorld, batch, openNode, readTo, setBack, storeId, won, writtenLog } from '../world.ts';

const otherId = Buffer.alloc(16, 7);

/** Puts a batch behind the head as if that were another one. */
async function put(world: LogWorld, head: LogHead, asIf: LogHead): Promise<void> {
  const content = { kind: 'batch', epoch: asIf.epoch, bytes: batch('other') } as const;
  const { record, head: next } = recordBehind(asIf, content, head.nonce);
  const advance = {
    expected: encodeHead(head),
    head: encodeHead({ ...next, epoch: head.epoch }),
    position: next.position,
    record,
  };
  expect(await world.storage().advance(advance, new AbortController().signal)).toBe('done');
}

export function lifeTests(name: string, newWorld: () => Promise<LogWorld>): void {
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
      await put(world, taken, { ...taken, epoch: 1 });
      await expect(readTo(log, 4)).rejects.toMatchObject({ code: 'damaged', message: /of epoch 1/ });
    });

    test('with a record that was put behind another one is damaged', async () => {
      const world = await newWorld();
      const { log, head } = await writtenLog(world, 1);
      await put(world, head, { ...head, checksum: (head.checksum ^ 1) >>> 0 });
      await expect(readTo(log, 3)).rejects.toMatchObject({ code: 'damaged', message: /but comes behind/ });
    });

    test('with a record that counts other bytes before it is damaged', async () => {
      const world = await newWorld();
      const { log, head } = await writtenLog(world, 1);
      await put(world, head, { ...head, logBytes: head.logBytes + 1 });
      await expect(readTo(log, 3)).rejects.toMatchObject({ code: 'damaged', message: /but comes behind/ });
    });

    test('whose head names another record than the newest is damaged', async () => {
      const world = await newWorld();
      const { log, head } = await writtenLog(world, 3);
      await setBack(world, { ...head, checksum: (head.checksum ^ 1) >>> 0 });
      const { log: reader } = openNode(world);
      await expect(readTo(reader, 5)).rejects.toMatchObject({
        code: 'damaged',
        message: /and the record there/,
      });
      await expect(log.head()).rejects.toMatchObject({ code: 'wentBack', message: /another record there/ });
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
}
