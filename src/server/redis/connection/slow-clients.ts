/**
 * Cuts clients that hold what others need and do not go on: a stranger that does not log in takes a connection, and a command that
 * does not become whole takes memory of all that there is for what comes in. A connection that has logged in, or need not, may be
 * idle for as long as it likes.
 *
 * They are looked at once in a while: a client costs nothing but an entry here while there is something to wait for.
 */

export interface SlowClient {
  readonly isLoggedIn: boolean;
  /** It is at work on a command, such as a password. */
  readonly isBusy: boolean;
  /** How many commands came before the one that has come in in part; -1: there is none, or it is not read on. */
  readonly commandsBeforePart: number;
  close(): void;
}

export interface Patience {
  /** With strangers. */
  readonly handshakeTimeoutMs: number;
  /** With a command from its first byte to its last. */
  readonly requestTimeoutMs: number;
}

interface Part {
  readonly commandsBefore: number;
  readonly sinceMs: number;
}

export class SlowClients {
  readonly #patience: Patience;
  readonly #strangerSinceMs = new Map<SlowClient, number>();
  readonly #parts = new Map<SlowClient, Part>();

  constructor(patience: Patience) {
    this.#patience = patience;
  }

  /** Whether strangers are to be looked at. */
  get hasStrangers(): boolean {
    return this.#strangerSinceMs.size > 0;
  }

  came(client: SlowClient, nowMs: number): void {
    if (!client.isLoggedIn) this.#strangerSinceMs.set(client, nowMs);
  }

  gone(client: SlowClient): void {
    this.#strangerSinceMs.delete(client);
    this.#parts.delete(client);
  }

  check(client: SlowClient, nowMs: number): void {
    if (this.#isStrange(client, nowMs) || this.#isHalf(client, nowMs)) client.close();
  }

  #isStrange(client: SlowClient, nowMs: number): boolean {
    const sinceMs = this.#strangerSinceMs.get(client);
    if (sinceMs === undefined) return false;
    if (client.isLoggedIn) {
      this.#strangerSinceMs.delete(client);
      return false;
    }
    return !client.isBusy && nowMs - sinceMs > this.#patience.handshakeTimeoutMs;
  }

  #isHalf(client: SlowClient, nowMs: number): boolean {
    const { commandsBeforePart: commandsBefore } = client;
    const part = this.#parts.get(client);
    if (commandsBefore < 0) {
      if (part !== undefined) this.#parts.delete(client);
      return false;
    }
    if (part?.commandsBefore === commandsBefore)
      return nowMs - part.sinceMs > this.#patience.requestTimeoutMs;
    this.#parts.set(client, { commandsBefore, sinceMs: nowMs });
    return false;
  }
}
