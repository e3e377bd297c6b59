/**
 * The credentials that a client's calls show, and where others come from when the server does not take them any more.
 *
 * Those that are given as they are hold for good. A function is called before the first call, and again when a call or a stream
 * was refused as `unauthenticated`: once for all that were refused with the same credentials, which then go on with what it has
 * given, unless that is what was refused: shown once more, a password would count as one more guess. So each notes which credentials
 * it was made with, by `generation`, the number of those that the function has given. A client certificate that may be another one on
 * a new connection is renewed in the same way.
 *
 * - "none": nothing was given yet. Calls wait for it.
 * - "held": calls go out with what was given last.
 * - "coming": the function has been called. Calls that begin wait for it: those held before were refused.
 */
import { systemClock } from '../../clock.ts';
import { client as limits } from '../../limits.ts';
import { causesOf } from '../errors/connect-failure.ts';
import { KelpError } from '../errors/error.ts';
import type { CallTransport } from './call-transport.ts';
import { type Credentials, type CredentialsSource, authorizationOf, credentials } from './credentials.ts';

/** What shows the server who the client is. */
type Shows = Pick<CallTransport, 'authorize' | 'isCertificateRenewable' | 'renewCertificate'>;

export class Authorization {
  readonly #source: CredentialsSource | undefined;
  readonly #transport: Shows;
  #generation = 0;
  /** The first generation that shows what is shown now. */
  #changedAt = 0;
  /** What the function gave last, as a header. */
  #given: string | undefined;
  #coming: Promise<void> | undefined;

  constructor(given: Credentials | CredentialsSource | undefined, transport: Shows) {
    this.#transport = transport;
    if (typeof given === 'function') this.#source = given;
    else if (given !== undefined) transport.authorize(authorizationOf(given));
  }

  get generation(): number {
    return this.#generation;
  }

  /** What a call has to wait for; `undefined`: nothing, as nearly always. Rejects with a `KelpError`. */
  get awaited(): Promise<void> | undefined {
    if (this.#source === undefined) return undefined;
    return this.#coming ?? (this.#generation === 0 ? this.#get(this.#source) : undefined);
  }

  /** Whether there may be others than those that were refused. */
  get isRenewable(): boolean {
    return this.#source !== undefined || this.#transport.isCertificateRenewable;
  }

  /**
   * Gets others than those of a generation, unless there are some already. Rejects with a `KelpError`.
   * @returns false where those are still all that there are.
   */
  async renew(generation: number): Promise<boolean> {
    if (generation === this.#generation) {
      if (this.#source !== undefined) await (this.#coming ?? this.#get(this.#source));
      else this.#renewed(false);
    }
    return generation < this.#changedAt;
  }

  #get(source: CredentialsSource): Promise<void> {
    this.#coming = this.#call(source).finally(() => (this.#coming = undefined));
    return this.#coming;
  }

  #renewed(areOthersGiven: boolean): void {
    const isFirst = this.#source !== undefined && this.#generation === 0;
    const renewsCertificate = !isFirst && this.#transport.isCertificateRenewable;
    this.#generation++;
    if (renewsCertificate) this.#transport.renewCertificate();
    if (areOthersGiven || renewsCertificate) this.#changedAt = this.#generation;
  }

  async #call(source: CredentialsSource): Promise<void> {
    let given: Credentials;
    try {
      given = await inTime(source);
    } catch (reason) {
      const cause = new CredentialsFailure(reason);
      throw new KelpError('unauthenticated', `no credentials: ${cause.message}`, undefined, { cause });
    }
    const wrong = credentials(given);
    if (wrong !== undefined) {
      throw new KelpError('invalidArgument', `what the function credentials gave${wrong}`, undefined);
    }
    const header = authorizationOf(given);
    const areOthers = header !== this.#given;
    this.#given = header;
    this.#transport.authorize(header);
    this.#renewed(areOthers);
  }
}

/** The function of the option `credentials` has failed: that may pass. */
class CredentialsFailure extends Error {
  override readonly name = 'CredentialsFailure';

  constructor(cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`the function credentials failed: ${why}`, { cause });
  }
}

/** Whether a call failed since there were no credentials to show, rather than since these were refused. */
export function lacksCredentials(error: KelpError): boolean {
  for (const cause of causesOf(error)) if (cause instanceof CredentialsFailure) return true;
  return false;
}

/** One that never comes to an end would keep every later call from being made. */
async function inTime(source: CredentialsSource): Promise<Credentials> {
  const late = Promise.withResolvers<never>();
  const timer = systemClock.setTimer(limits.credentialsMs, () =>
    late.reject(new Error(`it gave nothing within ${limits.credentialsMs} ms`)),
  );
  try {
    return await Promise.race([source(), late.promise]);
  } finally {
    timer.cancel();
  }
}
