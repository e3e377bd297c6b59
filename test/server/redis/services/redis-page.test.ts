import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { REDIS_PAGE, redisPage } from '../../../../tools/redis-page.ts';

test('the page of the Redis door is what the table makes; else run `npm run generate`', async () => {
  expect(readFileSync(REDIS_PAGE, 'utf8')).toBe(await redisPage());
});
