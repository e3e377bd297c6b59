/** The resident memory of another process. Linux only. */
import { readFile } from 'node:fs/promises';

const BYTES_PER_KIB = 1024;

export async function residentBytesOf(processId: number): Promise<number> {
  const status = await readFile(`/proc/${processId}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * BYTES_PER_KIB;
}
