/** The options of `kelp import` that say which etcd to read, and how. */
import { Option } from 'commander';
import { UsageError } from '../../shell-words/usage-error.ts';
import { wholeNumber } from './argument.ts';

export interface EtcdFlags {
  readonly fromEtcd?: string;
  readonly follow: boolean;
  readonly fromRevision?: number;
  readonly prefix?: string;
  readonly etcdUser?: string;
  readonly etcdPasswordFile?: string;
  readonly etcdTokenFile?: string;
  readonly etcdCa?: string;
  readonly etcdCert?: string;
  readonly etcdKey?: string;
}

export function etcdOptions(): Option[] {
  return [
    new Option(
      '--from-etcd <endpoints>',
      'copy all keys of this etcd and follow its changes until interrupted; members of one with commas between',
    ).conflicts(['format', 'resumeAfter']),
    new Option('--no-follow', 'end when all is copied'),
    new Option('--from-revision <revision>', 'copy nothing, and follow etcd from this revision on')
      .argParser(wholeNumber)
      .conflicts(['follow', 'dryRun', 'onConflict']),
    new Option('--prefix <text>', 'of etcd only keys that begin with this text'),
    new Option('--etcd-user <name>', 'log in to etcd as this user'),
    new Option('--etcd-password-file <file>', 'file with the password of that user'),
    new Option('--etcd-token-file <file>', 'log in to etcd by the token in this file').conflicts([
      'etcdUser',
      'etcdPasswordFile',
    ]),
    new Option('--etcd-ca <file>', 'PEM file of certificates to trust of etcd, with https://'),
    new Option('--etcd-cert <file>', 'PEM file of the certificate to show etcd'),
    new Option('--etcd-key <file>', 'PEM file of its key'),
  ];
}

/** What makes sense with an etcd alone. */
export function refuseEtcdOptions(flags: EtcdFlags): void {
  const [wrong] = [
    ...(flags.follow ? [] : ['--no-follow']),
    ...(
      [
        'fromRevision',
        'prefix',
        'etcdUser',
        'etcdPasswordFile',
        'etcdTokenFile',
        'etcdCa',
        'etcdCert',
        'etcdKey',
      ] as const
    )
      .filter((name) => flags[name] !== undefined)
      .map((name) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`),
  ];
  if (wrong !== undefined) throw new UsageError(`${wrong} is for an import with --from-etcd`);
}
