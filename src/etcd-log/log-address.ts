/**
 * Where a shared log lies, as an operator writes it: the members of etcd, and the prefix of all keys of the log there.
 *
 *   etcd://10.0.0.1:2379,10.0.0.2:2379,10.0.0.3:2379/kelp/main
 *   etcds://a.example,b.example,c.example/kelp/main                over TLS; 2379 is the port where none is given
 */
import { type ServerAddress, parseAddress } from '../client/connection/address.ts';
import { sharedLog as limits } from '../limits.ts';

export interface LogAddress {
  /** At least one. */
  readonly addresses: readonly ServerAddress[];
  /** Without a slash at either end. */
  readonly prefix: string;
}

const FORM = /^(etcds?):\/\/([^/]+)\/(.+)$/;
/** What etcd's own tools show and take without quotes. */
const PREFIX = /^[\w.-]+(?:\/[\w.-]+)*$/;

const EXAMPLE = 'give it like etcd://10.0.0.1:2379,10.0.0.2:2379,10.0.0.3:2379/kelp/main';

/** @throws Error that says what is wrong with it, with an example */
export function parseLogAddress(text: string): LogAddress {
  const [, scheme, members, prefix] = FORM.exec(text) ?? [];
  if (members === undefined || prefix === undefined) throw badAddress(text, 'it is of another form');
  if (!PREFIX.test(prefix) || prefix.length > limits.prefixBytesMax) {
    throw badAddress(
      text,
      `its prefix is not of letters, digits, ".", "-", "_" and single slashes, or longer than ${limits.prefixBytesMax}`,
    );
  }
  const isTls = scheme === 'etcds';
  return { addresses: members.split(',').map((member) => memberOf(text, member, isTls)), prefix };
}

function memberOf(text: string, member: string, isTls: boolean): ServerAddress {
  // A scheme or a path of its own would be taken by what reads addresses.
  if (!/^[\w.:[\]-]+$/.test(member)) throw badAddress(text, `"${member}" is no member`);
  try {
    return parseAddress(
      /:\d+$/.test(member) && !/^\[[^\]]*$/.test(member) ? member : `${member}:2379`,
      isTls,
    );
  } catch (error) {
    throw badAddress(text, `"${member}" is no member`, error);
  }
}

function badAddress(text: string, why: string, cause?: unknown): Error {
  return new Error(`the address of the shared log is "${text}", but ${why}; ${EXAMPLE}`, { cause });
}
