/** The resident memory and the processor time of another process. Linux only. */
import { readFile } from 'node:fs/promises';

const BYTES_PER_KIB = 1024;

export async function residentBytesOf(processId: number): Promise<number> {
  const status = await readFile(`/proc/${processId}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * BYTES_PER_KIB;
}

/** Of `/proc`: USER_HZ, which is 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
const USER_TIME = 11;
const SYSTEM_TIME = 12;

/** What all its threads have used so far, in steps of 10 ms. */
export async function cpuSecondsOf(processId: number): Promise<number> {
  const line = await readFile(`/proc/${processId}/stat`, 'utf8');
  // The name of the program stands in parentheses and may hold spaces; the fields behind it do not.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[USER_TIME]) + Number(fields[SYSTEM_TIME])) / TICKS_PER_SECOND;
}
