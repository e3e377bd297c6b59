/** What Debian's redis-server gives for a script. */
import { RealRedis } from '../../server/redis/support/real-redis.ts';

const COMPILING = 'ERR Error compiling script (new function): ';

export class RealLua {
  readonly #redis: RealRedis;

  private constructor(redis: RealRedis) {
    this.#redis = redis;
  }

  /** Who starts it ends it by `stop`. */
  static async start(): Promise<RealLua> {
    return new RealLua(await RealRedis.start());
  }

  /** The string that a script returns; `error: ` and the text when it ends with one. */
  async result(script: string): Promise<string> {
    const reply = await this.#redis.run('EVAL', Buffer.from(script, 'latin1'), '0');
    if (typeof reply === 'string') return reply;
    if (typeof reply === 'object' && reply !== null && 'text' in reply && typeof reply.text === 'string') {
      const text = reply.text.startsWith(COMPILING) ? reply.text.slice(COMPILING.length) : reply.text;
      return `error: ${text.replace(/^ERR /, '').replace(/ script: [0-9a-f]{40}, on .*$/s, '')}`;
    }
    throw new Error(`A script gave ${JSON.stringify(reply)}`);
  }

  stop(): Promise<void> {
    return this.#redis.stop();
  }
}
