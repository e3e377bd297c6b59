/** The etcd that the options of an import lead to. */
import { type ServerAddress, parseAddress } from '../../../client/connection/address.ts';
import type { TlsOptions } from '../../../client/connection/socket.ts';
import { isKelpError } from '../../../client/errors/error.ts';
import type { EtcdLogin } from '../../../client/etcd/etcd-calls.ts';
import { EtcdReader } from '../../../client/etcd/etcd-reader.ts';
import type { EtcdFlags } from '../../command-line/etcd-options.ts';
import type { KeyForm } from '../../command-line/key-form.ts';
import { UsageError } from '../../../shell-words/usage-error.ts';
import { readPem } from '../../session/pem-file.ts';
import { readSecretOf } from '../../session/secret-input.ts';

/** @throws UsageError */
export async function openEtcd(
  endpoints: string,
  flags: EtcdFlags,
  mayBePlain: boolean,
  keys: KeyForm,
): Promise<EtcdReader> {
  if (flags.prefix === '') throw new UsageError('--prefix is empty; leave it out if you mean all keys');
  const addresses = endpoints.split(',').map((each) => addressOf(each.trim()));
  const login = await loginOf(flags);
  const plain = addresses.find(({ isTls, isLocal }) => !isTls && !isLocal);
  if (login !== undefined && plain !== undefined && !mayBePlain) {
    throw new UsageError(
      `the login to etcd would go to ${plain.text} in plain text, which everyone on the way can read; use https://, or allow it with --allow-plaintext-login`,
    );
  }
  const prefix = flags.prefix === undefined ? '' : keys.read(flags.prefix);
  return new EtcdReader({ addresses, tls: await tlsOf(flags, addresses), login }, Buffer.from(prefix));
}

function addressOf(endpoint: string): ServerAddress {
  const example =
    '--from-etcd takes endpoints such as 127.0.0.1:2379, or https://a.example:2379,https://b.example:2379';
  if (endpoint === '') throw new UsageError(`an endpoint is empty; ${example}`);
  try {
    // The port that a server of KelpDB has by default is none of etcd.
    const hasPort = /:\d+\/?$/.test(endpoint) || endpoint.startsWith('unix:');
    return parseAddress(hasPort ? endpoint.replace(/\/$/, '') : `${endpoint.replace(/\/$/, '')}:2379`, false);
  } catch (error) {
    if (!isKelpError(error, 'invalidArgument')) throw error;
    throw new UsageError(`the endpoint ${JSON.stringify(endpoint)} can't be read; ${example}`, {
      cause: error,
    });
  }
}

async function loginOf({ etcdUser, etcdPasswordFile, etcdTokenFile }: EtcdFlags): Promise<EtcdLogin> {
  if (etcdTokenFile !== undefined) {
    const { secret } = await readSecretOf({ path: etcdTokenFile, source: '--etcd-token-file' }, 'token');
    if (!/^[\x21-\x7e]+$/.test(secret))
      throw new UsageError(`--etcd-token-file: ${etcdTokenFile} holds no token`);
    return { token: secret };
  }
  if (etcdUser === undefined && etcdPasswordFile === undefined) return undefined;
  if (etcdUser === undefined) throw new UsageError('--etcd-password-file needs a --etcd-user beside it');
  if (etcdPasswordFile === undefined)
    throw new UsageError('--etcd-user needs a --etcd-password-file beside it');
  const source = { path: etcdPasswordFile, source: '--etcd-password-file' };
  const { secret } = await readSecretOf(source, 'password');
  return { user: etcdUser, password: secret };
}

async function tlsOf(
  { etcdCa, etcdCert, etcdKey }: EtcdFlags,
  addresses: readonly ServerAddress[],
): Promise<TlsOptions> {
  const given = [etcdCa, etcdCert, etcdKey].some((path) => path !== undefined);
  if (given && !addresses.some(({ isTls }) => isTls)) {
    throw new UsageError(
      '--etcd-ca, --etcd-cert and --etcd-key are for TLS; write https:// before the endpoint',
    );
  }
  if ((etcdCert === undefined) !== (etcdKey === undefined)) {
    throw new UsageError('--etcd-cert and --etcd-key go together: a certificate is shown with its key');
  }
  return {
    ...(etcdCa !== undefined && { ca: await readPem('--etcd-ca', etcdCa) }),
    ...(etcdCert !== undefined && { cert: await readPem('--etcd-cert', etcdCert) }),
    ...(etcdKey !== undefined && { key: await readPem('--etcd-key', etcdKey) }),
  };
}
