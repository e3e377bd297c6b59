/** All methods that a server has, as their tables have them. */
import { expect } from 'vitest';
import { serverDefaults } from '../../../src/limits.ts';
import { etcdServices } from '../../../src/server/etcd/services.ts';
import type { Method } from '../../../src/server/services/method.ts';
import { servedServices } from '../../../src/server/services/services.ts';

const parts = {
  version: '',
  activity: () => expect.unreachable(),
  access: () => expect.unreachable(),
  node: () => undefined,
  areRatesLimited: false,
  audit: { accessChanged: () => undefined, adminCalled: () => undefined },
};

export const servedMethods: readonly Method[] = [
  ...servedServices(serverDefaults, parts),
  ...etcdServices(serverDefaults, {
    ...parts,
    valueBytesMax: 1,
    logins: { show: () => expect.unreachable() },
    mayOpenAccess: () => true,
    clientUrl: () => '',
  }),
].flatMap(({ methods }) => methods);
