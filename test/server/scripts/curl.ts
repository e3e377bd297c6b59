/** What curl is answered: the scripts that these interfaces are for run it. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { found } from '../../support/installed.ts';

export const isCurlInstalled = found('curl', existsSync('/usr/bin/curl'));

export const versions = [
  ['HTTP/1.1', '--http1.1'],
  ['HTTP/2', '--http2-prior-knowledge'],
] as const;

/** What lets curl send a long body. */
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

export interface CurlAnswer {
  readonly status: number;
  readonly type: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Runs curl with these arguments, of which the last is the URL. */
export async function curl(...args: readonly string[]): Promise<CurlAnswer> {
  const shown = ['-sS', '-D', '-', '--max-time', '120', ...args];
  const { stdout } = await promisify(execFile)('/usr/bin/curl', shown, {
    encoding: 'buffer',
    maxBuffer: 256 * 1024 * 1024,
  });
  const start = stdout.indexOf(CONTINUE) === 0 ? CONTINUE.length : 0;
  const end = stdout.indexOf('\r\n\r\n', start);
  const [first = '', ...lines] = stdout.toString('latin1', start, end).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf(':');
      return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
    }),
  );
  const body = stdout.subarray(end + 4);
  return { status: Number(first.split(' ')[1]), type: headers['content-type'] ?? '', headers, body };
}
