/** The shared log of a cluster that options lead to, for `serve` and `cluster init`. */
import type { TlsOptions } from '../../client/connection/socket.ts';
import type { EtcdLogin } from '../../client/etcd/etcd-calls.ts';
import type { ClusterConfig } from '../../server/config/cluster-config.ts';
import type { SharedLog } from '../../shared-log/shared-log.ts';
import { UsageError } from '../../shell-words/usage-error.ts';
import { readPem } from './pem-file.ts';
import { readSecretOf } from './secret-input.ts';

export type LogOptions = Pick<ClusterConfig, 'log' | 'logTls' | 'logLogin'>;

/**
 * Reads what the options name; nothing is asked of the log yet. What it returns opens the log, as often as that is wanted.
 * @throws UsageError
 */
export async function sharedLogOf({ log, logTls, logLogin }: LogOptions): Promise<() => SharedLog> {
  const { openEtcdLog, parseLogAddress } = await loadDriver();
  try {
    parseLogAddress(log);
  } catch (error) {
    throw new UsageError(`--log: ${(error as Error).message}`, { cause: error });
  }
  const { caPath, certPath, keyPath } = logTls;
  if ([caPath, certPath, keyPath].some((path) => path !== undefined) && !log.startsWith('etcds:')) {
    throw new UsageError('--log-ca, --log-cert and --log-key are for TLS; write etcds:// in --log');
  }
  const tls: TlsOptions = {
    ...(caPath !== undefined && { ca: await readPem('--log-ca', caPath) }),
    ...(certPath !== undefined && { cert: await readPem('--log-cert', certPath) }),
    ...(keyPath !== undefined && { key: await readPem('--log-key', keyPath) }),
  };
  const login: EtcdLogin = logLogin && {
    user: logLogin.user,
    password: (await readSecretOf({ path: logLogin.passwordFile, source: '--log-password-file' }, 'password'))
      .secret,
  };
  return () => openEtcdLog({ address: log, tls, login });
}

async function loadDriver() {
  const [{ openEtcdLog }, { parseLogAddress }] = await Promise.all([
    import('../../etcd-log/open-etcd-log.ts'),
    import('../../etcd-log/log-address.ts'),
  ]);
  return { openEtcdLog, parseLogAddress };
}
