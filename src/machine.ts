/** What the machine offers, for defaults that follow from it. Asked at the edges only; below, it is handed in. */
import { totalmem } from 'node:os';

/** The memory that this process may take, in bytes: that of the machine, or of the container if that is less. */
export function machineMemoryBytes(): number {
  const containerBytes = process.constrainedMemory();
  // Without a container it is 0, or more than there is.
  return containerBytes === 0 ? totalmem() : Math.min(containerBytes, totalmem());
}
