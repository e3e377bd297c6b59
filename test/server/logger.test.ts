import { expect, test } from 'vitest';
import { createLogger } from '../../src/server/logger.ts';

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

test('a terminal gets readable text', () => {
  const lines = new Lines(true);

  const logger = createLogger({ level: 'info', format: 'auto' }, lines);
  logger.info({ revision: 7 }, 'ready');
  logger.info('stopped');

  expect(lines.text).toMatch(/^\S+ INFO: ready \{"revision":7\}\n\S+ INFO: stopped\n$/);
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
