/**
 * The connections of one address: so many may be open (`--connections-per-address-max`), so that one client does not take all
 * that there are. Of IPv6 the network counts (the first 64 bits), since a client has all addresses of it.
 *
 * Not counted are connections from this machine: of loopback addresses, behind which a proxy brings everybody's, and of sockets. Nor are
 * those of other nodes of a cluster, which pass on many clients, and bound them themselves.
 *
 * Bounded: an address has an entry as long as it has a connection, and so many are known as those of nodes.
 */
import { isIPv4 } from 'node:net';
import { type Clock, systemClock } from '../../clock.ts';
import { cluster } from '../../limits.ts';

const IPV4_IN_IPV6 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
const NETWORK_GROUPS = 4;
const GROUPS = 8;
/** As many as a cluster has. */
const NODES_MAX = 64;

export class AddressLimit {
  /** Connections that were refused. */
  refusedCount = 0;
  readonly #max: number;
  readonly #countsLoopback: boolean;
  readonly #countByNetwork = new Map<string, number>();
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  /** By the networks of nodes: until when they are known as such. */
  readonly #nodeUntilMs = new Map<string, number>();

  /** @param max of one address; 0: any number. @param countsLoopback for tests, which have no other address. */
  constructor(max: number, countsLoopback = false, clock: Pick<Clock, 'monotonicMs'> = systemClock) {
    this.#max = max;
    this.#countsLoopback = countsLoopback;
    this.#clock = clock;
  }

  /** Another node has shown itself. It does so every second. @param address of its connection. */
  nodeAt(address: string | undefined): void {
    if (address === undefined || address === '') return;
    const network = networkOf(address);
    // The newest is the last.
    this.#nodeUntilMs.delete(network);
    this.#nodeUntilMs.set(network, this.#clock.monotonicMs() + cluster.reportSilenceMs);
    const [oldest] = this.#nodeUntilMs.keys();
    if (this.#nodeUntilMs.size > NODES_MAX && oldest !== undefined) this.#nodeUntilMs.delete(oldest);
  }

  /**
   * A connection has come. @param address of its peer; `undefined`: it has none, or is gone.
   * @returns what is to be called when it is closed; `undefined`: it is one too many.
   */
  open(address: string | undefined): (() => void) | undefined {
    const network = address === undefined || this.#max === 0 ? undefined : networkOf(address);
    if (network === undefined || (!this.#countsLoopback && isLoopback(network))) return NOTHING_TO_DO;
    if ((this.#nodeUntilMs.get(network) ?? -Infinity) > this.#clock.monotonicMs()) return NOTHING_TO_DO;
    const count = this.#countByNetwork.get(network) ?? 0;
    if (count >= this.#max) {
      this.refusedCount++;
      return undefined;
    }
    this.#countByNetwork.set(network, count + 1);
    return () => this.#close(network);
  }

  #close(network: string): void {
    const count = (this.#countByNetwork.get(network) ?? 0) - 1;
    if (count > 0) this.#countByNetwork.set(network, count);
    else this.#countByNetwork.delete(network);
  }
}

const NOTHING_TO_DO = (): void => undefined;

/** Whose connections count together; empty: those of this machine, which may be anybody's. */
export function networkOfPeer(address: string | undefined): string {
  if (address === undefined || address === '') return '';
  const network = networkOf(address);
  return isLoopback(network) ? '' : network;
}

/** The address of IPv4, however it is written, or the first half of one of IPv6. */
export function networkOf(address: string): string {
  const mapped = IPV4_IN_IPV6.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (isIPv4(address) || address === '::1') return address;
  const [head = '', tail] = address.toLowerCase().replace(/%.*$/, '').split('::');
  const groups = groupsOf(head);
  if (tail !== undefined) {
    const last = groupsOf(tail);
    while (groups.length + last.length < GROUPS) groups.push('0');
    groups.push(...last);
  }
  return groups
    .slice(0, NETWORK_GROUPS)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':');
}

function groupsOf(part: string): string[] {
  return part === '' ? [] : part.split(':');
}

function isLoopback(network: string): boolean {
  return network === '::1' || network.startsWith('127.');
}
