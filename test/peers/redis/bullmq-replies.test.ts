/**
 * What BullMQ asks of Redis, asked of KelpDB too: its calls to Debian's redis-server are written down with their replies and made
 * again, in their order. Scripts are told the time by BullMQ, so the replies must be the same.
 */
import {
  type FlowJobNode,
  type FlowNestedLeafJob,
  FlowProducer,
  type Job,
  Queue,
  UnrecoverableError,
  Worker,
} from 'bullmq';
import { type Command, Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { hasRealRedis, RealRedis } from '../../server/redis/support/real-redis.ts';
import { openDoor } from './redis-server-under-test.ts';

interface Call {
  readonly name: string;
  readonly words: readonly (string | Buffer)[];
  readonly outcome: unknown;
}

/** A client that writes down what it sends. */
class RecordingClient extends Redis {
  readonly #calls: Promise<Call>[] = [];

  override sendCommand(...args: Parameters<Redis['sendCommand']>): unknown {
    const [command] = args;
    this.#calls.push(callOf(command));
    return super.sendCommand(...args);
  }

  calls(): Promise<Call[]> {
    return Promise.all(this.#calls);
  }
}

/** Its words are those that were sent: a script goes as a text for the first time, which is decided late. */
async function callOf(command: Command): Promise<Call> {
  const outcome = await outcomeOf(command.promise);
  const words = command.args.map((word) => (Buffer.isBuffer(word) ? word : String(word)));
  return { name: command.name, words, outcome };
}

async function outcomeOf(reply: Promise<unknown>): Promise<unknown> {
  try {
    return await reply;
  } catch (error) {
    return error instanceof Error ? `-${error.message}` : error;
  }
}

/** What is said of the server and of the connection; the rest is said of the data. */
const OTHERS = new Set(['hello', 'info', 'client', 'quit']);

/**
 * All that a reply tells, in one order: Redis leaves open how fields of a hash, members of a set and names in JSON follow each other. Of
 * an entry of a stream the identifier is the moment.
 */
function told(reply: unknown): string[] {
  const all: string[] = [];
  const tell = (part: unknown): void => {
    if (Array.isArray(part)) {
      all.push(`${part.length} of`);
      for (const each of part) tell(each);
    } else if (Buffer.isBuffer(part)) tell(part.toString('latin1'));
    else if (typeof part === 'object' && part !== null) for (const each of Object.entries(part)) tell(each);
    else if (typeof part === 'string' && /^[[{]/.test(part)) tell(JSON.parse(part));
    else all.push(`${typeof part} ${String(part).replace(/^\d{13}-\d+$/, 'an entry')}`);
  };
  tell(reply);
  return all.sort();
}

type Scenario = (bull: { queue: Queue; flows: FlowProducer; work: Workers }) => Promise<unknown>;
/** Works until so many jobs have ended. */
type Workers = (queue: string, count: number, work: (job: Job) => Promise<unknown>) => Promise<void>;

const scenarios: Readonly<Record<string, Scenario>> = {
  'jobs of all kinds, done, failed and tried again': async ({ queue, work }) => {
    for (let index = 0; index < 12; index++) {
      await queue.add(
        `job ${index}`,
        { text: 'Grüße\0"', number: 1.5, nested: { list: [], object: {} } },
        {
          priority: index % 3,
          attempts: 2,
          backoff: index % 2 === 0 ? 5 : { type: 'exponential', delay: 5 },
          removeOnComplete: index % 4 === 0,
          lifo: index % 5 === 0,
        },
      );
    }
    const opts = { removeOnComplete: { age: 1000, count: 2 }, removeOnFail: { count: 1 }, keepLogs: 2 };
    await queue.addBulk([0, 1, 2, 3, 4].map((index) => ({ name: `many ${index}`, data: {}, opts })));
    for (const line of ['a', 'b', 'c']) await queue.addJobLog('13', line, 2);
    await queue.getJobLogs('13');
    await queue.updateJobProgress('13', { done: 1 });
    await queue.getCountsPerPriority([0, 1, 2]);
    await queue.getJobs(['waiting', 'prioritized'], 1, 4, true);
    await queue.pause();
    await queue.add('paused', {});
    await queue.resume();
    await work('work', 18, async (job) => {
      if (job.name === 'job 3' && job.attemptsMade === 0) throw new Error('once');
      if (job.name === 'many 2') throw new UnrecoverableError('never');
      await job.updateProgress(10);
      await job.log('line');
      if (job.name === 'job 4') await job.updateData({ other: 1 });
      return { name: job.name, list: [1.25, null] };
    });
    await queue.getJobCounts();
    await queue.getCompleted();
    await queue.getFailed();
    for (const id of ['1', '4', '12', '15', '999']) await queue.getJobState(id);
    await queue.retryJobs({ state: 'failed' });
    await queue.retryJobs({ state: 'completed', count: 2 });
    for (const type of ['completed', 'wait', 'delayed', 'failed'] as const) await queue.clean(0, 2, type);
    await queue.drain(true);
    await queue.obliterate({ force: true, count: 3 });
  },
  'delays, duplicates, schedulers and limits': async ({ queue }) => {
    const ttl = 600_000;
    for (let time = 0; time < 2; time++) {
      await queue.add('one', { time }, { deduplication: { id: 'one', ttl } });
      const deduplication = { id: 'last', ttl, extend: true, replace: true };
      await queue.add('last', { time }, { delay: ttl, deduplication });
      await queue.upsertJobScheduler('often', { every: ttl * (time + 1) }, { name: 'tick', data: { time } });
    }
    await queue.upsertJobScheduler('yearly', { pattern: '0 0 1 1 *' }, { name: 'new year' });
    await queue.getJobSchedulers();
    await queue.getJobScheduler('often');
    for (const id of ['yearly', 'none']) await queue.removeJobScheduler(id);
    const delayed = await queue.add('delayed', {}, { delay: ttl });
    await delayed.changeDelay(ttl * 2);
    await delayed.changePriority({ priority: 4 });
    await delayed.promote();
    await delayed.changePriority({ priority: 0, lifo: true });
    await delayed.remove();
    await queue.setGlobalConcurrency(3);
    await queue.setGlobalRateLimit(10, 1000);
    await queue.getMeta();
    await queue.isMaxed();
    await queue.promoteJobs();
    await queue.getJobs();
    await queue.obliterate({ force: true });
  },
  'flows with children that fail': async ({ flows, work }) => {
    const leaf = (name: string, opts = {}): FlowNestedLeafJob => ({
      name,
      queueName: 'children',
      data: { name },
      opts,
    });
    const children: FlowJobNode[] = [
      { ...leaf('branch'), children: [{ name: 'leaf', queueName: 'leaves', data: {} }] },
      leaf('plain'),
      leaf('by priority', { priority: 3 }),
      leaf('late', { delay: 600_000 }),
      leaf('ignored', { ignoreDependencyOnFailure: true }),
      leaf('passed over', { continueParentOnFailure: true }),
    ];
    const flow = { name: 'parent', queueName: 'work', data: {}, children };
    const { job } = await flows.add(flow);
    await flows.getFlow({ id: job.id ?? '', queueName: 'work' });
    await work('leaves', 1, async () => 'leaf');
    await work('children', 5, async ({ name }) => {
      if (name === 'ignored' || name === 'passed over') throw new Error(name);
      return name;
    });
    await job.getDependenciesCount();
    await job.getDependencies();
    await job.getChildrenValues();
    await job.getIgnoredChildrenFailures();
    await job.getState();
    await job.removeUnprocessedChildren();
    await job.getState();
  },
};

describe.skipIf(!hasRealRedis)("BullMQ's calls are answered as by Redis", { timeout: 120_000 }, () => {
  test.each(Object.entries(scenarios))('%s', async (_, scenario) => {
    const redis = await RealRedis.start();
    onTestFinished(() => redis.stop());
    const calls = await recorded(redis.port, scenario);
    const asked = calls.filter(({ name }) => !OTHERS.has(name));
    expect(asked.length).toBeGreaterThan(25);
    const kelp = new Redis({ port: (await openDoor()).port });
    onTestFinished(() => kelp.disconnect());
    for (const [index, { name, words, outcome }] of asked.entries()) {
      const answer = await outcomeOf(kelp.call(name, ...words));
      const call = [name, ...words.slice(1)].join(' ').slice(0, 300);
      expect(told(answer), `call ${index}: ${call}`).toEqual(told(outcome));
    }
  });
});

/** Over one connection, so that calls are done in the order in which they are sent; waiting for jobs has another. */
async function recorded(port: number, scenario: Scenario): Promise<Call[]> {
  const client = new RecordingClient({ port, maxRetriesPerRequest: null });
  const queue = new Queue('work', { connection: client });
  const flows = new FlowProducer({ connection: client });
  const work: Workers = async (name, count, run) => {
    const worker = new Worker(name, run, { connection: client });
    worker.on('error', () => undefined);
    let left = count;
    await new Promise<void>((resolve) => {
      const end = (job: Job | undefined): void => {
        if (job?.finishedOn !== undefined) left--;
        if (left === 0) resolve();
      };
      worker.on('completed', end);
      worker.on('failed', end);
    });
    await worker.close();
  };
  await scenario({ queue, flows, work });
  await Promise.all([queue.close(), flows.close()]);
  const calls = await client.calls();
  client.disconnect();
  return calls;
}
