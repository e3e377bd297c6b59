/** Queues, workers and listeners of BullMQ at one door, each with connections of its own, closed as the test ends. */
import {
  FlowProducer,
  Queue,
  QueueEvents,
  type QueueOptions,
  Worker,
  type Job,
  type WorkerOptions,
} from 'bullmq';
import { onTestFinished } from 'vitest';

/** What a job does; what it returns is the job's result. */
export type Work = (job: Job, token?: string) => Promise<unknown>;

export class BullQueues {
  readonly #connection: {
    readonly host: string;
    readonly port: number;
    /** Commands wait for as long as the server is away. */
    readonly maxRetriesPerRequest: null;
    readonly retryStrategy: () => number;
  };

  constructor(port: number) {
    this.#connection = { host: '127.0.0.1', port, maxRetriesPerRequest: null, retryStrategy: () => 50 };
  }

  queue(name: string, options: Omit<QueueOptions, 'connection'> = {}): Queue {
    return closedInTheEnd(new Queue(name, { connection: this.#connection, ...options }));
  }

  /** It begins to work at once. */
  worker(name: string, work: Work, options: Omit<WorkerOptions, 'connection'> = {}): Worker {
    const worker = new Worker(name, work, { connection: this.#connection, ...options });
    worker.on('error', () => undefined);
    // A job that never ends is not waited for.
    onTestFinished(() => worker.close(true));
    return worker;
  }

  /** Hears all that has happened, and what happens. */
  async events(name: string): Promise<QueueEvents> {
    const events = closedInTheEnd(
      new QueueEvents(name, { connection: this.#connection, lastEventId: '0-0' }),
    );
    await events.waitUntilReady();
    return events;
  }

  flows(): FlowProducer {
    return closedInTheEnd(new FlowProducer({ connection: this.#connection }));
  }
}

interface Opened {
  on(event: 'error', listener: () => void): unknown;
  close(): Promise<void>;
}

function closedInTheEnd<T extends Opened>(opened: T): T {
  // What is cut off while the server is away is told; it connects again by itself.
  opened.on('error', () => undefined);
  onTestFinished(() => opened.close());
  return opened;
}

/** Settled when a worker has ended so many jobs, in vain or not. */
export function ended(worker: Worker, count: number): Promise<void> {
  let left = count;
  return new Promise((resolve) => {
    const end = (): void => {
      left--;
      if (left === 0) resolve();
    };
    worker.on('completed', end);
    worker.on('failed', end);
  });
}
