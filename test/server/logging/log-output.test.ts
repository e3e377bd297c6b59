import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { serverFixed } from '../../../src/limits.ts';
import { LogOutput } from '../../../src/server/logging/log-output.ts';
import { createLogger, logGaps } from '../../../src/server/logging/logger.ts';

/** A reader that takes what was written when it is told to. */
class SlowReader extends Writable {
  readonly isTTY: boolean = false;
  text = '';
  fault: Error | undefined;
  #isReading: boolean;
  #waiting: (() => void)[] = [];

  constructor(isReading: boolean) {
    // Standard output keeps texts as they are and goes on after a failure.
    super({ decodeStrings: false, autoDestroy: false });
    this.#isReading = isReading;
  }

  read(): void {
    this.#isReading = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const take of waiting) take();
  }

  override _write(chunk: string, _: BufferEncoding, callback: (error?: Error) => void): void {
    const take = (): void => {
      this.text += chunk;
      callback();
    };
    if (this.fault !== undefined) callback(this.fault);
    else if (this.#isReading) take();
    else this.#waiting.push(take);
  }
}

const line = `${'x'.repeat(1023)}\n`;
const roomLines = serverFixed.logWaitingCharactersMax / line.length;

async function settled(): Promise<void> {
  await new Promise(setImmediate);
}

test('lines are written as they come', async () => {
  const reader = new SlowReader(true);
  const output = new LogOutput(reader);
  for (let count = 0; count < 3 * roomLines; count++) {
    output.write(line);
    if (count % 100 === 0) await settled();
  }
  await settled();
  expect(reader.text.length).toBe(3 * roomLines * line.length);
  expect(output.droppedCount).toBe(0);
});

describe('with a reader that has stopped', () => {
  test('no more than the limit waits; the rest is dropped and counted', () => {
    const reader = new SlowReader(false);
    const output = new LogOutput(reader);
    for (let count = 0; count < 3 * roomLines; count++) output.write(line);
    expect(reader.writableLength).toBe(serverFixed.logWaitingCharactersMax);
    expect(output.droppedCount).toBe(2 * roomLines);
  });

  test('one line tells of the gap, in its place, once the reader goes on', async () => {
    const reader = new SlowReader(false);
    const output = new LogOutput(reader);
    const logger = createLogger({ level: 'info', format: 'json' }, output);
    logGaps(logger, output);
    for (let count = 0; count < roomLines; count++) output.write(line);
    logger.info('dropped');
    logger.info('dropped, too');
    reader.read();
    await settled();
    logger.info('after');
    await settled();
    const lines = reader.text.slice(roomLines * line.length).split('\n');
    expect(lines.slice(0, -1).map((each) => JSON.parse(each) as object)).toEqual([
      expect.objectContaining({ level: 'warn', lines: 2, msg: expect.stringContaining('dropped') }),
      expect.objectContaining({ msg: 'after' }),
    ]);
    expect(output.droppedCount).toBe(2);
  });

  test('a line that is longer than the limit waits alone', () => {
    const reader = new SlowReader(false);
    const output = new LogOutput(reader);
    output.write('x'.repeat(2 * serverFixed.logWaitingCharactersMax));
    output.write(line);
    expect(output.droppedCount).toBe(1);
  });
});

test('a line that can not be written is counted, and the next one is tried', async () => {
  const reader = new SlowReader(true);
  const output = new LogOutput(reader);
  const told: number[] = [];
  output.onGapEnd = (lineCount) => told.push(lineCount);
  reader.fault = new Error('no space left');
  output.write('lost\n');
  await settled();
  expect([output.droppedCount, told]).toEqual([1, []]);
});

test('a gap is told at the level of the log, if that is above a warning', async () => {
  const reader = new SlowReader(true);
  const output = new LogOutput(reader);
  logGaps(createLogger({ level: 'error', format: 'json' }, output), output);
  output.onGapEnd(3);
  await settled();
  expect(JSON.parse(reader.text)).toMatchObject({ lines: 3 });
});

test('a terminal that shows nothing more does not halt the server', () => {
  const asked: boolean[] = [];
  const terminal = Object.assign(new SlowReader(true), {
    isTTY: true,
    _handle: { setBlocking: (isBlocking: boolean) => asked.push(isBlocking) },
  });
  expect(new LogOutput(terminal).isTTY).toBe(true);
  expect(asked).toEqual([false]);
});
