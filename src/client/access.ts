/**
 * Who may do what: users, their passwords and tokens, and the roles that grant them keys.
 *
 * ```ts
 * await client.access.createRole('config-reader');
 * await client.access.addGrant('config-reader', { permission: 'read', prefix: 'config/' });
 * await client.access.createUser('web', { roles: ['config-reader'] });
 * const { secret } = await client.access.createToken('web-2026', { user: 'web' });
 * ```
 *
 * Access is open, and every client may do everything, until the user `root` is made. From then on each call needs credentials
 * (`unauthenticated`), and is allowed only what a role of its user grants, all of it (`permissionDenied`); `root` may do
 * everything. All calls here but `whoAmI`, and `setPassword` for oneself, need a role that is `admin`. A change is durable when its
 * call resolves, and in effect by then, for open watches and streams too. None is repeated once it may have taken effect.
 */
import { named } from '../arguments/check.ts';
import { noOptions } from '../arguments/shape.ts';
import { accessName, grant as isGrant, grantTarget, newPassword } from './access-arguments.ts';
import { optionsByCall } from './arguments.ts';
import { refuse } from './errors/refuse.ts';
import type { Caller } from './calls/caller.ts';
import { accessMethods } from './calls/method.ts';
import { toGrantMessage, toGrantedKeysMessage, toRole, toToken, toUser } from './messages/access-message.ts';
import type {
  CreateTokenOptions,
  CreateUserOptions,
  Grant,
  GrantedKeys,
  Role,
  SetPasswordOptions,
  Token,
  User,
  WhoAmI,
} from './messages/access-types.ts';
import { toTtl } from './messages/request.ts';
import type { CallOptions } from './messages/types.ts';

export class Access {
  readonly #caller: Caller;

  /** @internal */
  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Tells who the caller is to the server, and by which roles. */
  async whoAmI(options: CallOptions = noOptions): Promise<WhoAmI> {
    refuse(optionsByCall['access.whoAmI'](options));
    const { user, roles, isClosed } = await this.#caller.read(accessMethods.whoAmI, {}, options);
    return { user, roles, isClosed };
  }

  /**
   * Makes a user. Its name has 1 to 128 characters, none of them a space, a colon or a control character; without a
   * password it may have colons, as a URI of a certificate has. Making `root`, with a password, closes access. Rejects with `nameTaken`, and with `nameNotFound` when there is no such role.
   */
  async createUser(name: string, options: CreateUserOptions = noOptions): Promise<void> {
    refuse(named('name', accessName(name)) ?? optionsByCall['access.createUser'](options));
    const request = { name, password: options.password ?? '', roles: [...(options.roles ?? [])] };
    await this.#caller.write(accessMethods.createUser, request, options);
  }

  /** Deletes a user and its tokens; `root` can't be deleted. Rejects with `nameNotFound`. */
  async deleteUser(name: string, options: CallOptions = noOptions): Promise<void> {
    refuse(named('name', accessName(name)) ?? optionsByCall['access.deleteUser'](options));
    await this.#caller.write(accessMethods.deleteUser, { name }, options);
  }

  /**
   * Gives the caller, or another `user`, a new password of at most 1024 bytes; `null` takes it away. What was begun with the one
   * before ends with `unauthenticated`. Rejects with `nameNotFound`.
   */
  async setPassword(password: string | null, options: SetPasswordOptions = noOptions): Promise<void> {
    refuse(named('password', newPassword(password)) ?? optionsByCall['access.setPassword'](options));
    const request = { name: options.user ?? '', password: password ?? '' };
    await this.#caller.write(accessMethods.setPassword, request, options);
  }

  /** Gives a user a role, which it may have already. Rejects with `nameNotFound`. */
  async giveRole(user: string, role: string, options: CallOptions = noOptions): Promise<void> {
    refuse(wrongPair(user, role) ?? optionsByCall['access.giveRole'](options));
    await this.#caller.write(accessMethods.giveRole, { user, role }, options);
  }

  /** Takes a role from a user. Rejects with `nameNotFound`, also when the user does not have it. */
  async takeRole(user: string, role: string, options: CallOptions = noOptions): Promise<void> {
    refuse(wrongPair(user, role) ?? optionsByCall['access.takeRole'](options));
    await this.#caller.write(accessMethods.takeRole, { user, role }, options);
  }

  /** All users, in the order of the bytes of their names. A deadline holds for each page. */
  async listUsers(options: CallOptions = noOptions): Promise<User[]> {
    refuse(optionsByCall['access.listUsers'](options));
    return allPages(async (pageToken) => {
      const request = { limit: 0, pageToken };
      const page = await this.#caller.read(accessMethods.listUsers, request, options);
      return { items: page.users.map(toUser), nextPageToken: page.nextPageToken };
    });
  }

  /** Makes a role, which grants nothing yet. Rejects with `nameTaken`. */
  async createRole(name: string, options: CallOptions = noOptions): Promise<void> {
    refuse(named('name', accessName(name)) ?? optionsByCall['access.createRole'](options));
    await this.#caller.write(accessMethods.createRole, { name }, options);
  }

  /** Deletes a role, which no user has any more then. Rejects with `nameNotFound`. */
  async deleteRole(name: string, options: CallOptions = noOptions): Promise<void> {
    refuse(named('name', accessName(name)) ?? optionsByCall['access.deleteRole'](options));
    await this.#caller.write(accessMethods.deleteRole, { name }, options);
  }

  /** Adds a grant to a role; it takes the place of one for exactly the same keys. Rejects with `nameNotFound`. */
  async addGrant(role: string, grant: Grant, options: CallOptions = noOptions): Promise<void> {
    refuse(
      named('role', accessName(role)) ??
        named('grant', isGrant(grant)) ??
        optionsByCall['access.addGrant'](options),
    );
    await this.#caller.write(accessMethods.addGrant, { role, grant: toGrantMessage(grant) }, options);
  }

  /**
   * Takes a grant from a role: the one for exactly these keys, or the one that is `admin`. A grant that was listed may be given as it
   * is; its permission is not looked at. Rejects with `nameNotFound`.
   */
  async removeGrant(
    role: string,
    target: Grant | GrantedKeys,
    options: CallOptions = noOptions,
  ): Promise<void> {
    refuse(
      named('role', accessName(role)) ??
        named('target', grantTarget(target)) ??
        optionsByCall['access.removeGrant'](options),
    );
    const request = { role, keys: toGrantedKeysMessage(target) };
    await this.#caller.write(accessMethods.removeGrant, request, options);
  }

  /** All roles with their grants, in the order of the bytes of their names. A deadline holds for each page. */
  async listRoles(options: CallOptions = noOptions): Promise<Role[]> {
    refuse(optionsByCall['access.listRoles'](options));
    return allPages(async (pageToken) => {
      const request = { limit: 0, pageToken };
      const page = await this.#caller.read(accessMethods.listRoles, request, options);
      return { items: page.roles.map(toRole), nextPageToken: page.nextPageToken };
    });
  }

  /**
   * Makes a token, with all rights of the caller or of another `user`. Its secret is told here and never again.
   * Rejects with `nameTaken`, and with `nameNotFound` when there is no such user.
   */
  async createToken(
    name: string,
    options: CreateTokenOptions = noOptions,
  ): Promise<{ readonly secret: string }> {
    refuse(named('name', accessName(name)) ?? optionsByCall['access.createToken'](options));
    const request = { name, user: options.user ?? '', ttl: toTtl(options.ttlMs) };
    const { secret } = await this.#caller.write(accessMethods.createToken, request, options);
    return { secret };
  }

  /** Deletes a token, which is not valid any more then. Rejects with `nameNotFound`. */
  async deleteToken(name: string, options: CallOptions = noOptions): Promise<void> {
    refuse(named('name', accessName(name)) ?? optionsByCall['access.deleteToken'](options));
    await this.#caller.write(accessMethods.deleteToken, { name }, options);
  }

  /** All tokens without their secrets, in the order of the bytes of their names. A deadline holds for each page. */
  async listTokens(options: CallOptions = noOptions): Promise<Token[]> {
    refuse(optionsByCall['access.listTokens'](options));
    return allPages(async (pageToken) => {
      const request = { limit: 0, pageToken };
      const page = await this.#caller.read(accessMethods.listTokens, request, options);
      return { items: page.tokens.map(toToken), nextPageToken: page.nextPageToken };
    });
  }
}

/** There are 4,096 items at most, and a page has many. */
async function allPages<Item>(
  readPage: (pageToken: string) => Promise<{ items: Item[]; nextPageToken: string }>,
): Promise<Item[]> {
  const all: Item[] = [];
  let pageToken = '';
  do {
    const { items, nextPageToken } = await readPage(pageToken);
    all.push(...items);
    pageToken = nextPageToken;
  } while (pageToken !== '');
  return all;
}

function wrongPair(user: string, role: string): string | undefined {
  return named('user', accessName(user)) ?? named('role', accessName(role));
}
