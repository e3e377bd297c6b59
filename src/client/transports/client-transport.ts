/**
 * What the client needs of a transport of its user's own, in types of its own: those of Connect would need the
 * library `dom` in every program that uses the client.
 */

/** A transport of Connect, such as what `createConnectTransport` or `createGrpcWebTransport` returns. */
export interface ClientTransport {
  unary(
    method: never,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: Record<string, string> | undefined,
    input: never,
  ): Promise<{ readonly stream: false; readonly message: unknown }>;
  stream(
    method: never,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: Record<string, string> | undefined,
    input: never,
  ): Promise<{ readonly stream: true; readonly message: AsyncIterable<unknown> }>;
}
