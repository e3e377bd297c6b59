/** How far long work is: on a terminal, in a file, with JSON. */
import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { Output, type OutputStream } from '../../src/cli/terminal/output.ts';
import { progressOn } from '../../src/cli/terminal/progress.ts';

class Stream extends Writable implements OutputStream {
  readonly isTTY: boolean;
  readonly columns: number;
  text = '';

  constructor(isTTY: boolean, columns = 80) {
    super();
    this.isTTY = isTTY;
    this.columns = columns;
  }

  override _write(chunk: Buffer, _: BufferEncoding, callback: () => void): void {
    this.text += chunk.toString('utf8');
    callback();
  }
}

/** Work of 1000 steps of a millisecond each, `secondsTotal` times. */
function work(output: Output, secondsTotal: number, isJson = false): void {
  let nowMs = 0;
  const onProgress = progressOn(output, isJson, () => nowMs);
  for (; nowMs < secondsTotal * 1000; nowMs++) {
    onProgress({ work: 'reading', doneBytes: nowMs, totalBytes: secondsTotal * 1000 });
  }
}

test('on a terminal one line is written anew, four times a second at most', () => {
  const stderr = new Stream(true);
  const output = new Output(new Stream(true), stderr);
  work(output, 1);
  expect(stderr.text).toBe(
    [
      ['25', '0.8s'],
      ['50', '0.5s'],
      ['75', '0.3s'],
    ]
      .map(([percent, left]) => `\rreading: ${percent} % of 1000 B, 1000 B/s, ${left} left\u001b[K`)
      .join(''),
  );
});

test('of work that counts keys the share is that of the keys, and of work that knows no end there is none', () => {
  const stderr = new Stream(true);
  let nowMs = 0;
  const onProgress = progressOn(new Output(new Stream(true), stderr), false, () => nowMs);
  const lines: string[] = [];
  const show = (doneBytes: number, keys: object): void => {
    stderr.text = '';
    onProgress({ work: 'writing', doneBytes, totalBytes: 0, ...keys });
    lines.push(stderr.text.slice(1, -3));
    nowMs += 500;
  };
  for (const done of [0, 1, 3]) show(1024 * done, { doneKeys: 100 * done, totalKeys: 1000 });
  // More were written than there were when they were counted.
  show(1024 * 11, { doneKeys: 1100, totalKeys: 1000 });
  show(1024 * 12, {});
  expect(lines).toEqual([
    '',
    'writing: 10 % of 1000 keys, 2.0 KiB/s, 4.5s left',
    'writing: 30 % of 1000 keys, 3.0 KiB/s, 2.3s left',
    'writing: 100 % of 1100 keys, 7.3 KiB/s, 0.0s left',
    'writing: 12.0 KiB, 6.0 KiB/s',
  ]);
});

test('each piece of work has a rate of its own, and it is that of the last intervals', () => {
  const stderr = new Stream(true);
  let nowMs = 0;
  const onProgress = progressOn(new Output(new Stream(true), stderr), false, () => nowMs);
  const after = (ms: number, work: string, doneBytes: number): string => {
    nowMs += ms;
    stderr.text = '';
    onProgress({ work, doneBytes, totalBytes: 0 });
    return stderr.text.slice(1, -3);
  };
  expect(after(1000, 'reading', 1000)).toBe('reading: 1000 B');
  expect(after(1000, 'reading', 2000)).toBe('reading: 2.0 KiB, 1000 B/s');
  expect(after(1000, 'writing', 500)).toBe('writing: 500 B');
  let line = '';
  for (let done = 500, step = 0; step < 40; step++)
    line = after(1000, 'writing', (done += step < 20 ? 900 : 10));
  expect(line).toMatch(/, 10 B\/s$/);
});

test.each([
  ['a note', (output: Output) => output.note('noted'), 'kelp: noted\n'],
  ['a failure', (output: Output) => output.noteSoon('noted\n'), 'noted\n'],
  ['a result', (output: Output) => void output.writeLine('written'), ''],
  ['a help', (output: Output) => output.writeSoon('written\n'), ''],
  ['the end', (output: Output) => output.clearStatus(), ''],
])('on a terminal the line gives way to %s', (_, write, noted) => {
  const stderr = new Stream(true);
  const output = new Output(new Stream(true), stderr);
  output.showStatus('working');
  write(output);
  // Once is enough.
  output.clearStatus();
  expect(stderr.text).toBe(`\rworking\u001b[K\r\u001b[K${noted}`);
});

test('the line stays while output goes through a pipe', async () => {
  const stderr = new Stream(true);
  const output = new Output(new Stream(false), stderr);
  output.showStatus('working');
  await output.write('bytes');
  expect(stderr.text).toBe('\rworking\u001b[K');
});

test('a line that would not fit is cut: one that wraps could not be written anew', () => {
  const stderr = new Stream(true, 11);
  const output = new Output(new Stream(true), stderr);
  output.showStatus('0123456789abc');
  output.showStatus('日本日本日本日本');
  expect(stderr.text).toBe('\r0123456789\u001b[K\r日本日本日\u001b[K');
});

test('a terminal that does not tell its width is taken for one of 80 columns', () => {
  const stderr = new Stream(true, 0);
  new Output(new Stream(true), stderr).showStatus('working');
  expect(stderr.text).toBe('\rworking\u001b[K');
});

test('in a file there is a line every ten seconds', () => {
  const stderr = new Stream(false);
  work(new Output(new Stream(false), stderr), 25);
  expect(stderr.text).toBe(
    'kelp: reading: 40 % of 24.4 KiB, 1000 B/s, 15s left\nkelp: reading: 80 % of 24.4 KiB, 1000 B/s, 5.0s left\n',
  );
});

test('with JSON a script that reads standard error sees none of it', () => {
  const stderr = new Stream(false);
  work(new Output(new Stream(false), stderr), 25, true);
  expect(stderr.text).toBe('');
});
