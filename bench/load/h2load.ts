/**
 * `h2load` (nghttp2) as a client: it is written in C, so that the server and not the client is what is measured. It sends
 * one request over and over, and does not look into the replies.
 */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { CaseContext } from '../bench-case.ts';
import { operationCount } from '../bench-case.ts';

const CONNECTIONS = 8;
const STREAMS = 32;
const REQUEST_COUNT = 10_000;
const GRPC_PREFIX_BYTES = 5;

export interface H2Request {
  readonly name: string;
  readonly path: string;
  readonly message: Buffer;
}

/** Measures one request. Reports nothing when `h2load` is not installed. */
export async function measureWithH2load(
  context: CaseContext,
  address: string,
  { name, path, message }: H2Request,
): Promise<void> {
  const prefix = Buffer.alloc(GRPC_PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  const bodyFile = `${context.directory}/h2load-body`;
  await writeFile(bodyFile, Buffer.concat([prefix, message]));
  const args = [
    `--requests=${operationCount(context, REQUEST_COUNT)}`,
    `--clients=${CONNECTIONS}`,
    `--max-concurrent-streams=${STREAMS}`,
    `--data=${bodyFile}`,
    '--header=content-type: application/grpc',
    '--header=te: trailers',
    `http://${address}${path}`,
  ];
  const samples: number[] = [];
  for (let repetition = 0; repetition <= context.repetitions; repetition++) {
    const rate = await runH2load(args);
    if (rate === undefined) return context.reportMissing('h2load is not installed');
    if (repetition > 0) samples.push(rate);
  }
  context.report({
    name: `h2load: ${name}, ${CONNECTIONS} connections, ${CONNECTIONS * STREAMS} under way`,
    unit: 'operations/s',
    samples,
  });
}

async function runH2load(args: readonly string[]): Promise<number | undefined> {
  let output: string;
  try {
    output = (await promisify(execFile)('h2load', args)).stdout;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const rate = /^finished in [^,]+, ([\d.]+) req\/s/m.exec(output)?.[1];
  const isClean = / 0 failed, 0 errored, 0 timeout/.test(output);
  if (rate === undefined || !isClean) throw new Error(`h2load did not succeed:\n${output}`);
  return Number(rate);
}
