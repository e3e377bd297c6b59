/** Whether a server with the environment of a file of deploy/ starts on all addresses, at the first time and again. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../../src/server/config/config.ts';
import { SafeStart } from '../../../src/server/access/safe-start.ts';
import { createLogger } from '../../../src/server/logging/logger.ts';
import { opened } from '../../access/opened.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { TestLog, temporaryDirectory } from '../../support/test-server.ts';

/** What is warned of, by both starts. Rejects as a start does that is refused. */
export async function warningsOfStarts(environment: Readonly<Record<string, string>>): Promise<string[]> {
  const rootPasswordFile = join(await temporaryDirectory(), 'root-password');
  writeFileSync(rootPasswordFile, 'secret\n', { mode: 0o600 });
  const hasFile = environment['KELP_ROOT_PASSWORD_FILE'] !== undefined;
  const config = await loadConfig({
    environment: { ...environment, ...(hasFile && { KELP_ROOT_PASSWORD_FILE: rootPasswordFile }) },
  });
  const log = new TestLog();
  const disk = new SimulatedDisk({ seed: 1 });
  const address = { host: '0.0.0.0', port: 7379 };
  const bounds = [{ address, hasTls: config.tls !== undefined }];
  await new SafeStart(config, bounds).refuseEarly(disk);
  const logger = createLogger({ level: 'warn', format: 'json' }, log);
  const first = await opened(disk);
  await new SafeStart(config, bounds).settle(first.access, logger);
  const second = await first.reopen();
  await new SafeStart(config, bounds).settle(second.access, logger);
  return log.lines.map(({ msg }) => String(msg));
}
