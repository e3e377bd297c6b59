/** The process that one case runs in. */
import type { CaseContext } from './bench-case.ts';
import type { CaseMessage, CaseOrder } from './case-message.ts';
import { catalog } from './catalog.ts';

const order = JSON.parse(process.argv[2] ?? '') as CaseOrder;
// A case without its bench has nothing to report to; the servers it started end with it (see `ChildServer`).
process.once('disconnect', () => process.exit(1));

try {
  await runCase();
} catch (error) {
  console.error(error);
  await tell({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
}
process.removeAllListeners('disconnect');
process.disconnect();

async function runCase(): Promise<void> {
  const entry = catalog.find(({ name }) => name === order.caseName);
  if (entry === undefined) throw new Error(`there is no case ${order.caseName}`);
  const benchCase = await entry.load();
  const { keyCount, isQuick, repetitions, directory, engine, profileDirectory } = order;
  const context: CaseContext = {
    keyCount,
    isQuick,
    repetitions,
    directory,
    engine,
    profileDirectory,
    report: (measured) => void tell({ kind: 'measured', measured }),
    reportMissing: (reason) => void tell({ kind: 'missing', reason }),
    started: (processId) => void tell({ kind: 'started', processId }),
    ended: (processId) => void tell({ kind: 'ended', processId }),
  };
  await (order.step === 'prepare' ? benchCase.prepare?.(context) : benchCase.run(context));
}

function tell(message: CaseMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) throw new Error('a case is started by bench/main.ts');
    process.send(message, () => resolve());
  });
}
