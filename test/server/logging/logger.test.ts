import { afterEach, expect, test, vi } from 'vitest';
import { createLogger } from '../../../src/server/logging/logger.ts';
import { hasColour } from '../../../src/server/logging/readable-log.ts';

afterEach(() => vi.unstubAllEnvs());

class Lines {
  readonly isTTY: boolean;
  text = '';

  constructor(isTTY: boolean) {
    this.isTTY = isTTY;
  }

  write(line: string): void {
    this.text += line;
  }
}

test('lines are JSON unless a terminal is attached', () => {
  const lines = new Lines(false);

  createLogger({ level: 'info', format: 'auto' }, lines).info({ revision: 7 }, 'ready');

  expect(JSON.parse(lines.text)).toEqual({
    level: 'info',
    time: expect.any(String),
    revision: 7,
    msg: 'ready',
  });
});

test('a terminal gets readable text: date, level, message, fields as key=value', () => {
  vi.stubEnv('FORCE_COLOR', undefined);
  vi.stubEnv('NO_COLOR', '1');
  const lines = new Lines(true);

  const logger = createLogger({ level: 'debug', format: 'auto' }, lines);
  logger.info({ revision: 7, address: '127.0.0.1:7379', dataDir: './my data', empty: '' }, 'ready');
  logger.debug({ isLast: true, parts: [1, 2] }, 'stopped');

  const [first, second] = lines.text.split('\n');
  expect(first).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} INFO {2}ready /);
  expect(first).toMatch(/ ready revision=7 address=127\.0\.0\.1:7379 dataDir="\.\/my data" empty=""$/);
  expect(second).toMatch(/ DEBUG stopped isLast=true parts=\[1,2\]$/);
});

test('readable text is coloured on a terminal, and as the environment wants', () => {
  vi.stubEnv('FORCE_COLOR', undefined);
  vi.stubEnv('NO_COLOR', undefined);
  vi.stubEnv('TERM', 'xterm');
  const [terminal, file] = [new Lines(true), new Lines(false)];

  createLogger({ level: 'info', format: 'pretty' }, terminal).warn({ revision: 7 }, 'careful');
  createLogger({ level: 'info', format: 'pretty' }, file).warn({ revision: 7 }, 'careful');

  expect(terminal.text).toContain('\u001b[33mWARN \u001b[39m careful \u001b[36mrevision=\u001b[39m7');
  expect(file.text).toContain('WARN  careful revision=7\n');
  expect(file.text).not.toContain('\u001b');
});

test.each([
  [true, {}, true],
  [false, {}, false],
  [true, { NO_COLOR: '1' }, false],
  [true, { NO_COLOR: '' }, true],
  [true, { TERM: 'dumb' }, false],
  [false, { FORCE_COLOR: '1' }, true],
  [false, { FORCE_COLOR: '' }, true],
  [true, { FORCE_COLOR: '0' }, false],
  [false, { FORCE_COLOR: '3', NO_COLOR: '1' }, true],
])('colour on a terminal (%j) with %j: %j', (isTerminal, environment, isColoured) => {
  expect(hasColour(isTerminal, environment)).toBe(isColoured);
});

test('the stack of an error and of its cause follow below, and nothing moves the cursor', () => {
  vi.stubEnv('FORCE_COLOR', '0');
  const lines = new Lines(true);

  const error = new Error('broke \u001b[2J', { cause: new Error('because') });
  createLogger({ level: 'info', format: 'pretty' }, lines).error(
    { err: error, key: 'a\u001b\nb' },
    'bad\rnews',
  );

  const [first, ...rest] = lines.text.trimEnd().split('\n');
  expect(first).toMatch(/ ERROR bad\\u000dnews key="a\\u001b\\nb"$/);
  expect(rest[0]).toBe('    Error: broke \\u001b[2J');
  expect(rest.some((line) => /^ {4}caused by: Error: because$/.test(line))).toBe(true);
  expect(rest.every((line) => line.startsWith('    '))).toBe(true);
});

test('the format that was asked for goes before the terminal', () => {
  const [json, pretty] = [new Lines(true), new Lines(false)];

  createLogger({ level: 'info', format: 'json' }, json).info('a');
  createLogger({ level: 'info', format: 'pretty' }, pretty).info('a');

  expect(json.text).toMatch(/^\{/);
  expect(pretty.text).toMatch(/INFO/);
});

test('what is below the level is not written', () => {
  const lines = new Lines(false);

  createLogger({ level: 'warn', format: 'json' }, lines).info('a');

  expect(lines.text).toBe('');
});
