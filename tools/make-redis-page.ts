/** Writes `docs/redis.md` anew. */
import { writeFileSync } from 'node:fs';
import { REDIS_PAGE, redisPage } from './redis-page.ts';

writeFileSync(REDIS_PAGE, await redisPage());
