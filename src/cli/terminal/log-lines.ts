/** Records of the log, as lines for people and as JSON. */
import type { EffectShape, RecordShape } from '../../../gen/kelp/storage/v1/log_codec.ts';
import { DeleteReason } from '../../../gen/kelp/v1/watch_pb.ts';
import { canonicalKey, namedKey } from '../../arguments/key.ts';
import { type AccessName, accessNameOf, userKeyOf } from '../../offline/log-records.ts';
import { displayCount, displayDuration, displayKey, displayValue } from './display.ts';
import { keyJson, timeJson, valueJson } from '../../api-json.ts';

/** Of the note of a place, which comes before records that have one; as wide as a time. */
const NO_TIME = '-'.padEnd(24);

/** `12  2026-01-01T00:00:00.000Z  put      a  version 1, 5 bytes`: a line for each effect; a note has no revision. */
export function recordLines(record: RecordShape, hasValues: boolean): string {
  const revision = record.revision === 0 ? '-' : String(record.revision);
  const begin = `${revision}  ${record.timeMs === 0 ? NO_TIME : timeJson(record.timeMs)}`;
  const effects = record.effects.map((effect) => effectText(effect, hasValues));
  if (effects.length === 0) effects.push(line('clock', `leases at ${displayDuration(record.leaseClockMs)}`));
  return effects.map((effect) => `${begin}  ${effect}\n`).join('');
}

function effectText({ effect }: EffectShape, hasValues: boolean): string {
  const access = accessOf(effect);
  if (access !== undefined) {
    const what = access.kind === 'hold' ? 'held open' : `${access.kind} ${displayKey(access.name)}`;
    return line('access', `${what}  (${access.change})`);
  }
  switch (effect.case) {
    case 'put': {
      const { key, value, version, leaseId, ttlMs, expireTimeMs, kind, collectionId } = effect.value;
      const facts = [`version ${version}`, ...lifeFacts(leaseId, ttlMs, expireTimeMs)];
      if (kind !== 0)
        facts.push(collectionId === 0 ? `kind ${kind}` : `kind ${kind}, collection ${collectionId}`);
      const content = hasValues ? displayValue(value) : displayCount(value.length, 'byte');
      return line('put', `${keyText(key)}  ${content}  (${facts.join(', ')})`);
    }
    case 'delete':
      return line('delete', `${keyText(effect.value.key)}  (${reasonText(effect.value.reason)})`);
    case 'touch': {
      const { key, leaseId, ttlMs, expireTimeMs } = effect.value;
      const facts = lifeFacts(leaseId, ttlMs, expireTimeMs);
      return line('touch', `${keyText(key)}  (${facts.length === 0 ? 'lives for ever' : facts.join(', ')})`);
    }
    case 'lease': {
      const { leaseId, ttlMs, owner } = effect.value;
      const facts = [`ttl ${displayDuration(ttlMs)}`, ...(owner === '' ? [] : [`owner ${owner}`])];
      return line('lease', `${leaseId}  (${facts.join(', ')})`);
    }
    case 'leaseEnd':
      return line('end', `lease ${effect.value.leaseId}`);
    case 'compact':
      return line('compact', `history before revision ${effect.value.oldestRevision}`);
    case 'incarnation':
      return line('life', `incarnation ${idText(effect.value.id)}`);
    case 'collectionIds':
      return line('ids', `of collections below ${effect.value.end}`);
    case 'swept':
      return line(
        'swept',
        `collection ${effect.value.collectionId}, of no key from revision ${effect.value.revision} on`,
      );
    case 'place': {
      const { position, epoch, writerAddress } = effect.value;
      return line(
        'place',
        `${position} of the shared log, epoch ${epoch}, writer ${writerAddress || 'none'}`,
      );
    }
    case undefined:
      return line('unknown', '');
  }
}

type Effect = EffectShape['effect'];

/** Of a change of access, which is shown without its value, `--values` or not: it may be the hash of a password. */
function accessOf(effect: Effect): (AccessName & { readonly change: 'written' | 'deleted' }) | undefined {
  if (effect.case !== 'put' && effect.case !== 'delete') return undefined;
  const name = accessNameOf(effect.value.key);
  return name && { ...name, change: effect.case === 'put' ? 'written' : 'deleted' };
}

function line(kind: string, rest: string): string {
  return `${kind.padEnd(7)}  ${rest}`;
}

function lifeFacts(leaseId: number, ttlMs: number, expireTimeMs: number): string[] {
  return [
    ...(leaseId === 0 ? [] : [`lease ${leaseId}`]),
    ...(ttlMs === 0 ? [] : [`ttl ${displayDuration(ttlMs)}`]),
    ...(expireTimeMs === 0 ? [] : [`until ${timeJson(expireTimeMs)}`]),
  ];
}

function keyText(key: Uint8Array): string {
  return displayKey(canonicalKey(userKeyOf(key)));
}

function keyFields(key: Uint8Array): Record<string, unknown> {
  return keyJson(namedKey(canonicalKey(userKeyOf(key))));
}

function idText(id: Uint8Array): string {
  return Buffer.from(id).toString('hex');
}

const reasonNames = new Map<number, string>([
  [DeleteReason.REQUESTED, 'requested'],
  [DeleteReason.EXPIRED, 'expired'],
  [DeleteReason.LEASE_EXPIRED, 'leaseExpired'],
  [DeleteReason.LEASE_REVOKED, 'leaseRevoked'],
  [DeleteReason.EVICTED, 'evicted'],
]);

function reasonName(reason: number): string {
  return reasonNames.get(reason) ?? `reason ${reason}`;
}

const reasonTexts = new Map([
  ['requested', 'asked for'],
  ['expired', 'its time to live ended'],
  ['leaseExpired', 'its lease ended'],
  ['leaseRevoked', 'its lease was revoked'],
  ['evicted', 'evicted'],
]);

function reasonText(reason: number): string {
  const name = reasonName(reason);
  return reasonTexts.get(name) ?? name;
}

export function recordJson(record: RecordShape, hasValues: boolean): Record<string, unknown> {
  const { revision, timeMs, leaseClockMs } = record;
  return {
    revision,
    ...(timeMs !== 0 && { time: timeJson(timeMs) }),
    ...(leaseClockMs !== 0 && { leaseClockMs }),
    effects: record.effects.map((effect) => effectJson(effect, hasValues)),
  };
}

function effectJson({ effect }: EffectShape, hasValues: boolean): Record<string, unknown> {
  const access = accessOf(effect);
  if (access !== undefined) return { type: 'access', ...access };
  switch (effect.case) {
    case 'put': {
      const { key, value, createRevision, version, kind, collectionId } = effect.value;
      return {
        type: 'put',
        ...keyFields(key),
        ...(hasValues ? { value: valueJson(value) } : { valueBytes: value.length }),
        createRevision,
        version,
        ...(kind !== 0 && { kind }),
        ...(collectionId !== 0 && { collectionId }),
        ...lifeJson(effect.value),
      };
    }
    case 'delete': {
      const { key, reason } = effect.value;
      return { type: 'delete', ...keyFields(key), reason: reasonName(reason) };
    }
    case 'touch': {
      const { key, createRevision, modRevision, version } = effect.value;
      return {
        type: 'touch',
        ...keyFields(key),
        createRevision,
        modRevision,
        version,
        ...lifeJson(effect.value),
      };
    }
    case 'lease': {
      const { leaseId, ttlMs, deadlineMs, owner } = effect.value;
      return { type: 'lease', leaseId, ttlMs, deadlineMs, ...(owner !== '' && { owner }) };
    }
    case 'leaseEnd':
      return { type: 'leaseEnd', leaseId: effect.value.leaseId };
    case 'compact':
      return { type: 'compact', oldestRevision: effect.value.oldestRevision };
    case 'incarnation':
      return { type: 'life', incarnation: idText(effect.value.id) };
    case 'collectionIds':
      return { type: 'collectionIds', end: effect.value.end };
    case 'swept':
      return { type: 'swept', ...effect.value };
    case 'place':
      return { type: 'place', ...effect.value };
    case undefined:
      return { type: 'unknown' };
  }
}

function lifeJson(life: {
  readonly leaseId: number;
  readonly ttlMs: number;
  readonly expireTimeMs: number;
}): Record<string, unknown> {
  const { leaseId, ttlMs, expireTimeMs } = life;
  return {
    ...(leaseId !== 0 && { leaseId }),
    ...(ttlMs !== 0 && { ttlMs }),
    ...(expireTimeMs !== 0 && { expireTime: timeJson(expireTimeMs) }),
  };
}
