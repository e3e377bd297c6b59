/** How a server that is probed for its memory is asked, and tells. */
import type { MemoryUse } from './memory.ts';

export const PROBE_SIGNAL = 'SIGUSR2';
const LINE = /^memory (\d+) (\d+) (\d+)$/;

export function probeLine({ residentBytes, heapBytes, bufferBytes }: MemoryUse): string {
  return `memory ${residentBytes} ${heapBytes} ${bufferBytes}`;
}

/** @returns `undefined` for any other line. */
export function readProbeLine(line: string): MemoryUse | undefined {
  const numbers = LINE.exec(line)?.slice(1).map(Number);
  if (numbers === undefined) return undefined;
  const [residentBytes = 0, heapBytes = 0, bufferBytes = 0] = numbers;
  return { residentBytes, heapBytes, bufferBytes };
}
