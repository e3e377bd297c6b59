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
    ['25', '50', '75'].map((percent) => `\rreading: ${percent} % of 1000 B\u001b[K`).join(''),
  );
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
  expect(stderr.text).toBe('kelp: reading: 40 % of 24.4 KiB\nkelp: reading: 80 % of 24.4 KiB\n');
});

test('with JSON a script that reads standard error sees none of it', () => {
  const stderr = new Stream(false);
  work(new Output(new Stream(false), stderr), 25, true);
  expect(stderr.text).toBe('');
});
