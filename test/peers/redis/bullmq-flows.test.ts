/** BullMQ's flows: jobs that wait for others, in other queues too. */
import { type FlowNestedLeafJob, type Job, WaitingChildrenError } from 'bullmq';
import { describe, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { BullQueues, ended } from './bullmq-queues.ts';
import { openDoor } from './redis-server-under-test.ts';

describe('a flow of BullMQ', { timeout: 120_000 }, () => {
  async function open(): Promise<BullQueues> {
    return new BullQueues((await openDoor()).port);
  }
  const leaf = async ({ data }: Job<{ number: number }>): Promise<number> => data.number * 2;
  const sum = async (job: Job): Promise<number> => {
    const values = Object.values(await job.getChildrenValues<number>());
    return values.reduce((total, value) => total + value, 0);
  };

  test('does the children first, and gives the parent what they returned, three floors high', async () => {
    const bull = await open();
    const top = bull.queue('top');
    const events = await bull.events('top');
    const leaves = (from: number): FlowNestedLeafJob[] =>
      [0, 1, 2].map((index) => ({ name: 'leaf', queueName: 'leaves', data: { number: from + index } }));
    const flow = {
      name: 'all',
      queueName: 'top',
      children: [1, 10, 100].map((from) => ({ name: 'sum', queueName: 'sums', children: leaves(from) })),
    };
    const flows = bull.flows();
    const added = await flows.add(flow);
    expect(await added.job.getState()).toBe('waiting-children');
    expect(await added.job.getDependenciesCount()).toMatchObject({ processed: 0, unprocessed: 3 });
    const tree = await flows.getFlow({ id: added.job.id ?? '', queueName: 'top' });
    expect(tree.children?.map(({ children }) => children?.length)).toEqual([3, 3, 3]);
    bull.worker('leaves', leaf, { concurrency: 4 });
    bull.worker('sums', sum);
    bull.worker('top', sum);
    expect(await added.job.waitUntilFinished(events)).toBe(2 * (3 * 111 + 3 * 3));
    expect(await top.getWaitingChildrenCount()).toBe(0);
    const { processed = {} } = await added.job.getDependencies();
    expect(new Set(Object.values(processed))).toEqual(new Set([12, 66, 606]));
  });

  test('goes on without a child that failed, fails with it, or waits, as asked', async () => {
    const bull = await open();
    const parents = bull.queue('parents');
    const flows = bull.flows();
    const add = async (name: string, opts: object): Promise<Job> => {
      const { job } = await flows.add({
        name,
        queueName: 'parents',
        children: [
          { name: 'good', queueName: 'children', data: { number: 1 } },
          { name: 'bad', queueName: 'children', data: {}, opts },
        ],
      });
      return job;
    };
    const failing = await add('failing', { failParentOnFailure: true });
    const ignoring = await add('ignoring', { ignoreDependencyOnFailure: true });
    const removing = await add('removing', { removeDependencyOnFailure: true });
    const waiting = await add('waiting', {});
    const children = bull.worker('children', async (job: Job) => {
      if (job.name === 'bad') throw new Error('no');
      return leaf(job);
    });
    await ended(children, 8);
    bull.worker('parents', sum);
    const states = (): Promise<string[]> =>
      Promise.all([failing, ignoring, removing, waiting].map((job) => job.getState()));
    await eventually(states).toEqual(['failed', 'completed', 'completed', 'waiting-children']);
    expect((await parents.getJob(failing.id ?? ''))?.failedReason).toMatch(/child .* failed/);
    expect((await parents.getJob(ignoring.id ?? ''))?.returnvalue).toBe(2);
    expect(Object.values(await ignoring.getIgnoredChildrenFailures())).toEqual(['no']);
  });

  test('a parent is removed with its children, and a hundred flows are added at once', async () => {
    const bull = await open();
    const [parents, children] = [bull.queue('parents'), bull.queue('children')];
    const numbers = Array.from({ length: 100 }, (_, index) => index);
    const flows = await bull.flows().addBulk(
      numbers.map((number) => ({
        name: 'sum',
        queueName: 'parents',
        children: [1, 2].map((more) => ({
          name: 'leaf',
          queueName: 'children',
          data: { number: number + more },
        })),
      })),
    );
    expect(await children.getWaitingCount()).toBe(200);
    await flows[99]?.job.remove({ removeChildren: true });
    expect(await children.getWaitingCount()).toBe(198);
    bull.worker('children', leaf, { concurrency: 10 });
    const sums = bull.worker('parents', sum, { concurrency: 10 });
    await ended(sums, 99);
    const results = (await parents.getCompleted(0, -1)).map(({ returnvalue }) => Number(returnvalue));
    expect(results.toSorted((a, b) => a - b)).toEqual(numbers.slice(0, 99).map((number) => 4 * number + 6));
  });

  test('a job that finds out at work what it has to wait for, waits for it', async () => {
    const bull = await open();
    const queue = bull.queue('parents');
    const events = await bull.events('parents');
    const children = bull.queue('children');
    bull.worker('children', leaf);
    bull.worker('parents', async (job: Job<{ hasAsked?: boolean }>, token = '') => {
      if (job.data.hasAsked !== true) {
        const parent = { id: job.id ?? '', queue: job.queueQualifiedName };
        for (const number of [1, 2]) await children.add('leaf', { number }, { parent });
        await job.updateData({ hasAsked: true });
        if (await job.moveToWaitingChildren(token)) throw new WaitingChildrenError();
      }
      return sum(job);
    });
    const job = await queue.add('asks', {});
    expect(await job.waitUntilFinished(events)).toBe(6);
  });
});
