/** Opens the shared log that lies in an etcd. Nothing is asked of it before the first call. */
import type { EtcdLogin } from '../client/etcd/etcd-calls.ts';
import type { TlsOptions } from '../client/connection/socket.ts';
import { type Clock, type Random, systemClock, systemRandom } from '../clock.ts';
import type { SharedLog } from '../shared-log/shared-log.ts';
import { StoredLog } from '../shared-log/stored-log.ts';
import { EtcdLogStorage } from './etcd-log-storage.ts';
import { parseLogAddress } from './log-address.ts';

export interface EtcdLogSettings {
  /** `etcd://HOST:PORT,…/PREFIX`, or `etcds://` for TLS. */
  readonly address: string;
  readonly tls?: TlsOptions | undefined;
  readonly login?: EtcdLogin;
  /** That the log must have; left out: that of the head that is seen first. */
  readonly storeId?: Uint8Array | undefined;
  /** Whether a trim compacts etcd, all of it. Default true. */
  readonly compacts?: boolean | undefined;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** Throws when the address can't be read. */
export function openEtcdLog(settings: EtcdLogSettings): SharedLog {
  const {
    address,
    tls = {},
    login,
    storeId,
    compacts,
    clock = systemClock,
    random = systemRandom,
  } = settings;
  const storage = new EtcdLogStorage({ ...parseLogAddress(address), tls, login, compacts });
  return new StoredLog({ storage, clock, random, storeId });
}
