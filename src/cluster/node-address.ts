/**
 * Where a node is reached, as one text: what a writer tells of itself in the shared log (`place.writer_address`), since followers
 * pass clients of both kinds on to it.
 *
 *     10.0.0.1:2380                          the port of HTTP alone
 *     10.0.0.1:2380,redis=10.0.0.1:6379      and one for clients of Redis
 *
 * Parts that are not known are passed over, so that a later version may tell more.
 */

export interface NodeAddress {
  /** `HOST:PORT`; '': none. */
  readonly http: string;
  /** `HOST:PORT`; '': clients of Redis are not served there. */
  readonly redis: string;
}

const REDIS = 'redis=';

export function formatNodeAddress({ http, redis }: NodeAddress): string {
  return redis === '' ? http : `${http},${REDIS}${redis}`;
}

export function parseNodeAddress(text: string): NodeAddress {
  const [http = '', ...parts] = text.split(',');
  const redis = parts.find((part) => part.startsWith(REDIS));
  return { http, redis: redis?.slice(REDIS.length) ?? '' };
}
