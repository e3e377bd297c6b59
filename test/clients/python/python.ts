/** The Python that the client is tried with: one that has grpcio, as Debian's has. */
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { found } from '../../support/installed.ts';

const imports = 'import grpc.aio, google.protobuf';
const usable = ['/usr/bin/python3', 'python3'].find(
  (path) => spawnSync(path, ['-c', imports], { stdio: 'ignore' }).status === 0,
);

export const isPythonClientUsable = found('grpcio of Python', usable !== undefined);
export const python = usable ?? 'python3';

/** Of its processes: they start servers with this Node, and leave no files beside the sources. */
export const env: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: `${dirname(process.execPath)}:${process.env['PATH']}`,
  NODE: process.execPath,
  PYTHONDONTWRITEBYTECODE: '1',
};
