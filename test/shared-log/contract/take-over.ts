/** Taking over: one winner, and the writer before is fenced. */
import { describe, expect, test } from 'vitest';
import { type LogWorld, batch, openNode, readTo, stored, won, writtenLog } from '../world.ts';

export function takeOverTests(name: string, newWorld: () => Promise<LogWorld>): void {
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
}
