import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { stopOnSignal } from '../../src/cli/process/stop-signals.ts';
import { serverFixed } from '../../src/limits.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** A process, and a server that stops when it is told to. */
class Stage extends EventEmitter {
  readonly pid: number;
  readonly execPath = 'node';
  readonly clock = new ManualClock();
  readonly stopped = Promise.withResolvers<void>();
  readonly ended: Promise<void>;
  readonly events: string[] = [];

  constructor(pid = 1000) {
    super();
    this.pid = pid;
    const server = {
      stop: () => {
        this.events.push('stop');
        return this.stopped.promise;
      },
      abort: () => void this.events.push('abort'),
    };
    this.ended = stopOnSignal(server, { process: this, clock: this.clock });
  }

  execve(file: string, args: readonly string[]): never {
    this.events.push(args.join(' '));
    throw new Error(`${file} has taken the place of this process`);
  }

  /** Whether the system would end the process on this signal. */
  isLeftToSystem(signal: NodeJS.Signals): boolean {
    return this.listenerCount(signal) === 0;
  }
}

describe.each(['SIGTERM', 'SIGINT'] as const)('%s', (signal) => {
  test('stops the server', async () => {
    const stage = new Stage();
    stage.emit(signal, signal);
    stage.stopped.resolve();
    await stage.ended;
    expect(stage.events).toEqual(['stop']);
  });

  test('that comes twice, as from npm and the terminal, counts once', () => {
    const stage = new Stage();
    stage.emit(signal, signal);
    stage.clock.advance(serverFixed.signalEchoMs - 1);
    stage.emit(signal, signal);
    expect(stage.events).toEqual(['stop']);
    expect(stage.isLeftToSystem(signal)).toBe(false);
  });

  test('after a stop that goes on is left to the system, which ends the process whatever happens in it', () => {
    const stage = new Stage();
    stage.emit(signal, signal);
    stage.clock.advance(serverFixed.signalEchoMs);
    expect([stage.isLeftToSystem('SIGTERM'), stage.isLeftToSystem('SIGINT')]).toEqual([true, true]);
  });

  test('after the stop is left to the system, should the process still be there', async () => {
    const stage = new Stage();
    stage.emit(signal, signal);
    stage.stopped.resolve();
    await stage.ended;
    expect([stage.isLeftToSystem('SIGTERM'), stage.isLeftToSystem('SIGINT')]).toEqual([true, true]);
  });

  test('a second time ends the first process of a container, which the system would not', () => {
    const stage = new Stage(1);
    stage.emit(signal, signal);
    stage.clock.advance(serverFixed.signalEchoMs);
    expect(() => stage.emit(signal, signal)).toThrow('taken the place');
    const code = signal === 'SIGTERM' ? 143 : 130;
    expect(stage.events).toEqual(['stop', 'abort', `node --eval process.exit(${code})`]);
  });
});

test('a stop that fails is told', async () => {
  const stage = new Stage();
  stage.emit('SIGTERM', 'SIGTERM');
  stage.stopped.reject(new Error('the store did not close'));
  await expect(stage.ended).rejects.toThrow('the store did not close');
});
