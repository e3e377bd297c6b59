/** What etcd leaves open, or the clock decides, taken out of outcomes before they are compared: each with its reason. */
import type { EtcdOutcome } from '../support/etcd-client.ts';
import type { DrawnCall } from './drawn-calls.ts';

interface ShownKeyValue {
  readonly key: string;
  readonly value?: string;
  readonly version?: string;
  readonly createRevision?: string;
  readonly modRevision?: string;
}

const sortedBy = ['key', 'version', 'createRevision', 'modRevision', 'value'] as const;

export function normalised({ method, request }: DrawnCall, outcome: EtcdOutcome | undefined): unknown {
  if (outcome === undefined || !('reply' in outcome)) return outcome;
  const reply = outcome.reply as Readonly<Record<string, unknown>>;
  switch (method) {
    case 'Range': {
      // etcd's sorting is not stable: keys that are alike in what is sorted by come in any order. What is sorted by must be right.
      const { sortTarget = 0 } = request as { readonly sortTarget?: number };
      const target = sortedBy[sortTarget] ?? 'key';
      if (target === 'key' || !Array.isArray(reply['kvs'])) return reply;
      const kvs = reply['kvs'] as readonly ShownKeyValue[];
      return { ...reply, order: kvs.map((kv) => kv[target]), kvs: inOrder(kvs, ({ key }) => key) };
    }
    case 'LeaseTimeToLive': {
      // A second may pass between the two servers' answers. The order of a lease's keys is that of a Go map.
      const { TTL, keys, ...rest } = reply;
      return { ...rest, isAlive: Number(TTL) > 0, keys: inOrder((keys ?? []) as string[], (key) => key) };
    }
    case 'LeaseLeases': {
      // By expiry in etcd, in which those of one moment come in any order.
      const leases = (reply['leases'] ?? []) as readonly { readonly ID: string }[];
      return { ...reply, leases: inOrder(leases, ({ ID }) => ID) };
    }
    default:
      return reply;
  }
}

function inOrder<Element>(elements: readonly Element[], nameOf: (element: Element) => string): Element[] {
  return elements.toSorted((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1));
}
