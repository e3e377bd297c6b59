/**
 * The written forms of the values that options take: sizes such as `64MiB`, times such as `10s`, addresses such as
 * `127.0.0.1:7379`. Each parser throws an `OptionError` that says what it expects; each formatter writes what its
 * parser reads.
 */
import { durationMsOf } from '../../arguments/duration.ts';
import { formatUnixAddress, parseUnixAddress } from '../../unix-address.ts';

/** A value, a name or a file of options that can't be used. The message names the source and says what to do. */
export class OptionError extends Error {
  override readonly name = 'OptionError';
}

const bytesByUnit: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** Reads a size: a whole number of bytes, or with one of the units B, KiB, MiB, GiB. */
export function parseBytes(text: string): number {
  const match = /^(\d{1,15}(?:\.\d{1,6})?) ?([A-Za-z]*)$/.exec(text);
  const unitBytes = bytesByUnit[match?.[2] || 'B'];
  const bytes = Number(match?.[1]) * (unitBytes ?? Number.NaN);
  if (!Number.isSafeInteger(bytes)) {
    throw new OptionError(`expected a size in bytes, such as 4096, 64KiB, 16MiB or 1GiB, not "${text}"`);
  }
  return bytes;
}

/** Reads a share such as `50%`, above 0 and up to 100 %, as a number up to 1; `undefined`: it is none. */
export function parseShare(text: string): number | undefined {
  const match = /^(\d{1,3}(?:\.\d{1,6})?) ?%$/.exec(text);
  if (match === null) return undefined;
  const share = Number(match[1]) / 100;
  if (share <= 0 || share > 1) throw new OptionError(`expected a share above 0% up to 100%, not "${text}"`);
  return share;
}

/** Writes a size in the largest unit that holds it as a whole number. */
export function formatBytes(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB']) {
    const count = bytes / (bytesByUnit[unit] ?? Number.NaN);
    if (count >= 1 && Number.isInteger(count)) return `${count}${unit}`;
  }
  return String(bytes);
}

const msByUnit: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/**
 * Reads a length of time in whole milliseconds: numbers with the units d, h, m, s, ms, the larger unit first, each once,
 * such as `1h30m`; the last number may have a fraction.
 */
export function parseDurationMs(text: string): number {
  const ms = durationMsOf(text);
  if (typeof ms === 'string') throw new OptionError(ms);
  return ms;
}

/** Writes a time in the largest unit that holds it as a whole number, hours at most. */
export function formatDurationMs(ms: number): string {
  for (const unit of ['h', 'm', 's']) {
    const count = ms / (msByUnit[unit] ?? Number.NaN);
    if (count >= 1 && Number.isInteger(count)) return `${count}${unit}`;
  }
  return `${ms}ms`;
}

/** Reads whether a switch is on; an empty text, as of a variable that is not set, is off. */
export function parseSwitch(text: string): boolean {
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0' || text === '') return false;
  throw new OptionError(`expected true or false, not "${text}"`);
}

/** Reads a whole number, not negative. */
export function parseInteger(text: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new OptionError(`expected a whole number, not "${text}"`);
  return value;
}

/** Where to listen: at a port, or at a socket of this machine that a file stands for. */
export type ListenAddress = PortAddress | SocketAddress;

/** An empty host is all interfaces; port 0 lets the system choose. */
export interface PortAddress {
  readonly host: string;
  readonly port: number;
}

export interface SocketAddress {
  readonly path: string;
}

/** Reads `HOST:PORT` or `:PORT`, where an IPv6 address stands in brackets, or `unix:PATH`. */
export function parseListenAddress(text: string): ListenAddress {
  const unix = parseUnixAddress(text);
  if (unix !== undefined && 'wrong' in unix) throw new OptionError(`"${text}" ${unix.wrong}`);
  if (unix !== undefined) return unix;
  const match = /^(?:\[([0-9A-Fa-f:.%]+)\]|([^:[\]\s/]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new OptionError(
      `expected HOST:PORT, such as 127.0.0.1:7379, [::1]:7379 or :7379, or unix:PATH, not "${text}"`,
    );
  }
  return { host: match[1] ?? match[2] ?? '', port };
}

/** Writes an address as a client takes it. */
export function formatAddress(address: ListenAddress): string {
  if ('path' in address) return formatUnixAddress(address.path);
  const { host, port } = address;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * The URL by which a client gets to an address that is listened on.
 * @param hostName of this machine, for those who reach it by any of its addresses.
 */
export function urlOf(
  address: ListenAddress,
  { hasTls, hostName }: { readonly hasTls: boolean; readonly hostName: string },
): string {
  if ('path' in address) return formatAddress(address);
  const { host, port } = address;
  const isAny = host === '' || host === '0.0.0.0' || host === '::';
  return `${hasTls ? 'https' : 'http'}://${formatAddress({ host: isAny ? hostName : host, port })}`;
}
