/** Calls about access, drawn from few names and keys, so that they meet; and who makes them. */
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import * as rpc from '../../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import type { SeededRandom } from '../../../support/random.ts';
import type { AuthSideBySide } from '../support/auth-side-by-side.ts';
import type { EtcdClient, EtcdOutcome } from '../support/etcd-client.ts';

interface DrawnAuthCall {
  readonly what: string;
  readonly schema: DescMessage;
  readonly run: (client: EtcdClient) => Promise<MessageShape<DescMessage>>;
}

/**
 * Who makes the calls. A token ends with another password of its user and with the end of it; etcd 3.4 refuses it where access is open, too. So
 * each of these ends the login here.
 */
export class LoggedIn {
  who = '-';
  readonly #pair: AuthSideBySide;
  #isClosed = false;

  constructor(pair: AuthSideBySide) {
    this.#pair = pair;
  }

  /** Now and then it is another one, if both let it in. */
  async draw(random: SeededRandom): Promise<void> {
    if (!this.#isClosed) return;
    if (this.who !== '-' && random.below(16) > 0) return;
    // Root comes often, so that something changes.
    const name = random.below(2) === 0 ? 'root' : (pick(random, USERS) ?? '');
    const password = pick(random, PASSWORDS);
    const outcome = await this.#pair.same(`log in as ${name}`, rpc.AuthenticateResponseSchema, ({ auth }) =>
      auth.authenticate({ name, password }),
    );
    if ('code' in outcome) return;
    await this.#pair.logIn(name, password);
    this.who = name;
  }

  follow(what: string, outcome: EtcdOutcome): void {
    if ('code' in outcome) return;
    if (what === 'enable') this.#isClosed = true;
    const isOver = what === 'disable' || [`userDelete ${this.who}`, `password ${this.who}`].includes(what);
    if (what === 'disable') this.#isClosed = false;
    if (!isOver && !(what === 'enable' && this.who === '-')) return;
    this.#pair.logOut();
    this.who = '-';
  }
}

/** So that access can be closed early. */
export const firstCalls: readonly ((pair: AuthSideBySide) => Promise<unknown>)[] = [
  (pair) =>
    pair.same('root', rpc.AuthUserAddResponseSchema, ({ auth }) =>
      auth.userAdd({ name: 'root', password: 'one' }),
    ),
  (pair) =>
    pair.same('its role', rpc.AuthUserGrantRoleResponseSchema, ({ auth }) =>
      auth.userGrantRole({ user: 'root', role: 'root' }),
    ),
];

const USERS = ['root', 'a', 'b', 'root'] as const;
const ROLES = ['r', 's', 'root', 't'] as const;
const PASSWORDS = ['one', 'one', 'one', 'one', 'one', 'one', 'one', 'one', 'one', 'two'] as const;
const KEYS = ['a', 'b', 'c', 'k1', 'k2'] as const;
/** Empty: a key alone. */
const ENDS = ['', '', '', '\0', 'd', 'l'] as const;

/**
 * What is permitted begins at each key with one range: of several etcd 3.4 shows those in any order, and one that is granted again may
 * stand there twice.
 */
const PERMITTED = [
  ['a', ''],
  ['b', 'd'],
  ['c', 'l'],
  ['k1', ''],
  ['k2', '\0'],
] as const;

function pick<Item>(random: SeededRandom, items: readonly Item[]): Item {
  const item = items[random.below(items.length)];
  if (item === undefined) throw new Error('there is nothing to draw from');
  return item;
}

function call<Output extends DescMessage>(
  what: string,
  schema: Output,
  run: (client: EtcdClient) => Promise<MessageShape<Output>>,
): DrawnAuthCall {
  return { what, schema, run };
}

function range(random: SeededRandom): {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
  readonly text: string;
} {
  const key = pick(random, KEYS);
  const end = pick(random, ENDS);
  // A range without keys is refused here, as by etcd 3.5; etcd 3.4 takes it.
  const rangeEnd = end !== '\0' && end <= key ? '' : end;
  return {
    key: Buffer.from(key),
    rangeEnd: Buffer.from(rangeEnd),
    text: `${key} to ${JSON.stringify(rangeEnd)}`,
  };
}

export function drawAuthCall(random: SeededRandom): DrawnAuthCall {
  const user = pick(random, USERS);
  const role = pick(random, ROLES);
  const password = pick(random, PASSWORDS);
  const { text, ...keys } = range(random);
  const draws: readonly (readonly [weight: number, draw: () => DrawnAuthCall])[] = [
    [
      4,
      () =>
        call(`userAdd ${user}`, rpc.AuthUserAddResponseSchema, ({ auth }) =>
          auth.userAdd({ name: user, password }),
        ),
    ],
    [
      2,
      () =>
        call(`userGet ${user}`, rpc.AuthUserGetResponseSchema, ({ auth }) => auth.userGet({ name: user })),
    ],
    [2, () => call('userList', rpc.AuthUserListResponseSchema, ({ auth }) => auth.userList({}))],
    [
      1,
      () =>
        call(`userDelete ${user}`, rpc.AuthUserDeleteResponseSchema, ({ auth }) =>
          auth.userDelete({ name: user }),
        ),
    ],
    [
      1,
      () =>
        call(`password ${user}`, rpc.AuthUserChangePasswordResponseSchema, ({ auth }) =>
          auth.userChangePassword({ name: user, password }),
        ),
    ],
    [
      5,
      () =>
        // The role root is given to root alone: without a record of it etcd lets others do everything, too.
        call(
          `userGrantRole ${user} ${roleFor(user, role)}`,
          rpc.AuthUserGrantRoleResponseSchema,
          ({ auth }) => auth.userGrantRole({ user, role: roleFor(user, role) }),
        ),
    ],
    [
      2,
      () =>
        call(`userRevokeRole ${user} ${role}`, rpc.AuthUserRevokeRoleResponseSchema, ({ auth }) =>
          auth.userRevokeRole({ name: user, role }),
        ),
    ],
    [
      3,
      () =>
        call(`roleAdd ${role}`, rpc.AuthRoleAddResponseSchema, ({ auth }) => auth.roleAdd({ name: role })),
    ],
    [3, () => call(`roleGet ${role}`, rpc.AuthRoleGetResponseSchema, ({ auth }) => auth.roleGet({ role }))],
    [1, () => call('roleList', rpc.AuthRoleListResponseSchema, ({ auth }) => auth.roleList({}))],
    [
      1,
      () =>
        call(`roleDelete ${role}`, rpc.AuthRoleDeleteResponseSchema, ({ auth }) => auth.roleDelete({ role })),
    ],
    [
      6,
      () => {
        const [key, rangeEnd] = pick(random, PERMITTED);
        const permType = pick(random, [0, 1, 2] as const);
        const perm = { permType, key: Buffer.from(key), rangeEnd: Buffer.from(rangeEnd) };
        return call(
          `permit ${role} ${permType} ${key}`,
          rpc.AuthRoleGrantPermissionResponseSchema,
          ({ auth }) => auth.roleGrantPermission({ name: role, perm }),
        );
      },
    ],
    [
      3,
      () =>
        call(`forbid ${role} ${text}`, rpc.AuthRoleRevokePermissionResponseSchema, ({ auth }) =>
          auth.roleRevokePermission({ role, ...keys }),
        ),
    ],
    [3, () => call('enable', rpc.AuthEnableResponseSchema, ({ auth }) => auth.authEnable({}))],
    [1, () => call('disable', rpc.AuthDisableResponseSchema, ({ auth }) => auth.authDisable({}))],
    [8, () => call(`put ${text}`, rpc.PutResponseSchema, ({ kv }) => kv.put({ key: keys.key }))],
    [
      8,
      () => call(`get ${text}`, rpc.RangeResponseSchema, ({ kv }) => kv.range({ ...keys, countOnly: true })),
    ],
    [4, () => call(`delete ${text}`, rpc.DeleteRangeResponseSchema, ({ kv }) => kv.deleteRange(keys))],
  ];
  let at = random.below(draws.reduce((sum, [weight]) => sum + weight, 0));
  for (const [weight, draw] of draws) {
    if (at < weight) return draw();
    at -= weight;
  }
  throw new Error('nothing was drawn');
}

function roleFor(user: string, role: string): string {
  return role === 'root' && user !== 'root' ? 'r' : role;
}
