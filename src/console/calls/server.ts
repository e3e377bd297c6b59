/**
 * The server that the page came from, by Connect. Whether it answers is told by the calls themselves; when one of them finds that it does
 * not, it is asked again until it does, and what is shown is read again then (`answeredCount`).
 */
import { type Client, Code, type Interceptor, createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-web';
import { signal } from '@preact/signals';
import { AccessService } from '../../../gen/kelp/v1/access_pb.ts';
import { AdminService } from '../../../gen/kelp/v1/admin_pb.ts';
import { ClusterService } from '../../../gen/kelp/v1/cluster_pb.ts';
import { HashService } from '../../../gen/kelp/v1/hash_pb.ts';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { LeaseService } from '../../../gen/kelp/v1/lease_pb.ts';
import { ListService } from '../../../gen/kelp/v1/list_pb.ts';
import { SetService } from '../../../gen/kelp/v1/set_pb.ts';
import { SortedSetService } from '../../../gen/kelp/v1/sorted_set_pb.ts';
import { WatchService } from '../../../gen/kelp/v1/watch_pb.ts';
import { after } from '../page/clock.ts';
import { limits } from '../page/limits.ts';
import { failureOf, isPassing } from './failure.ts';
import { type Login, loggedInAs } from './login.ts';

/** `undefined` while the server answers; else why it does not. */
export const unreachable = signal<string | undefined>(undefined);

/** How often the server has come back. */
export const answeredCount = signal(0);

/** `undefined` until the server has told. */
export interface Identity {
  /** Empty while access is open. */
  readonly user: string;
  readonly isClosed: boolean;
}
export const identity = signal<Identity | undefined>(undefined);

/** Whether the server wants a login first, or another one. */
export const needsLogin = signal(false);

const authorize: Interceptor = (next) => (request) => {
  const login = loggedInAs.peek();
  if (login !== undefined && !request.header.has('authorization')) {
    request.header.set('authorization', login.authorization);
  }
  return next(request);
};

const watchLink: Interceptor = (next) => async (request) => {
  try {
    const response = await next(request);
    if (unreachable.peek() !== undefined) returned();
    return response;
  } catch (error) {
    const failure = failureOf(error);
    if (failure.code === Code.Unauthenticated) needsLogin.value = true;
    else if (isPassing(failure) && !request.signal.aborted) lost(failure.message);
    throw error;
  }
};

const transport = createConnectTransport({
  baseUrl: location.origin,
  defaultTimeoutMs: limits.callMs,
  interceptors: [watchLink, authorize],
});

/** A stream lasts as long as it is read. */
const streams = createConnectTransport({ baseUrl: location.origin, interceptors: [watchLink, authorize] });

/** A backup is bytes, which JSON would make longer by a third. */
const bytesStreams = createConnectTransport({
  baseUrl: location.origin,
  useBinaryFormat: true,
  interceptors: [watchLink, authorize],
});

export const backups: Client<typeof AdminService> = createClient(AdminService, bytesStreams);
export const admin: Client<typeof AdminService> = createClient(AdminService, transport);
export const cluster: Client<typeof ClusterService> = createClient(ClusterService, transport);
export const watches: Client<typeof WatchService> = createClient(WatchService, streams);
export const kv: Client<typeof KvService> = createClient(KvService, transport);
export const hashes: Client<typeof HashService> = createClient(HashService, transport);
export const lists: Client<typeof ListService> = createClient(ListService, transport);
export const sets: Client<typeof SetService> = createClient(SetService, transport);
export const sortedSets: Client<typeof SortedSetService> = createClient(SortedSetService, transport);
export const leases: Client<typeof LeaseService> = createClient(LeaseService, transport);
export const access: Client<typeof AccessService> = createClient(AccessService, transport);

/**
 * Asks who the page is.
 * @param login in place of the one that is kept.
 */
export async function identify(login?: Login): Promise<void> {
  const headers = login === undefined ? undefined : { authorization: login.authorization };
  const { user, isClosed } = await access.whoAmI({}, headers === undefined ? {} : { headers });
  identity.value = { user, isClosed };
}

let retryMs: number = limits.retryMsMin;
let isRetrying = false;

/** Of a call, or of a stream that broke. */
export function lost(message: string): void {
  unreachable.value = message;
  if (isRetrying) return;
  isRetrying = true;
  after(retryMs, () => {
    isRetrying = false;
    // What comes of it, the interceptor tells.
    void identify().catch(() => undefined);
  });
  retryMs = Math.min(2 * retryMs, limits.retryMsMax);
}

function returned(): void {
  unreachable.value = undefined;
  retryMs = limits.retryMsMin;
  answeredCount.value++;
}

/** Asks at once, in place of waiting. */
export function tryNow(): void {
  retryMs = limits.retryMsMin;
  void identify().catch(() => undefined);
}
