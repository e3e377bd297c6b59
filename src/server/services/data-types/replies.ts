/** What operations on collections have done, as replies: those of calls of their own and those within a transaction. */
import type { OperationResultShape } from '../../../../gen/kelp/v1/kv_codec.ts';
import type {
  CollectionAnswers,
  CollectionKind,
  CollectionResult,
  ScoredMember,
} from '../../../api-collections.ts';

/** The message of a kind. */
export type ReplyOf<Kind extends CollectionKind> = Extract<
  OperationResultShape['result'],
  { readonly case: Kind }
>['value'];

type Writers = {
  readonly [Kind in CollectionKind]: (answer: CollectionAnswers[Kind], revision: number) => ReplyOf<Kind>;
};

/** @param revision of the call, or of the transaction. */
export function replyOf<Kind extends CollectionKind>(
  result: CollectionResult<Kind>,
  revision: number,
): ReplyOf<Kind> {
  const { kind }: { readonly kind: Kind } = result;
  const write: Writers[Kind] = writers[kind];
  return write(result, revision);
}

type ResultShape<Kind extends CollectionKind> = {
  readonly [Each in Kind]: { case: Each; value: ReplyOf<Each> };
}[Kind];

/** As the result of an operation of a transaction. */
export function resultShape<Kind extends CollectionKind>(
  result: CollectionResult<Kind>,
  revision: number,
): ResultShape<Kind> {
  const { kind }: { readonly kind: Kind } = result;
  return { case: kind, value: replyOf(result, revision) };
}

/** Most answers have the members of their messages. */
function withRevision<Answer extends object>(
  answer: Answer,
  revision: number,
): Answer & { revision: number } {
  return { ...answer, revision };
}

const writers: Writers = {
  hashSet: withRevision,
  hashDelete: withRevision,
  hashIncrement: withRevision,
  listPush: withRevision,
  listPop: withRevision,
  listSet: withRevision,
  listInsert: withRevision,
  listRemove: withRevision,
  listTrim: withRevision,
  listMove: withRevision,
  setAdd: withRevision,
  setRemove: withRevision,
  setPop: withRevision,
  setCombine: withRevision,
  sortedSetAdd: (answer, revision) => ({
    ...answer,
    revision,
    scores: answer.scores.map((score) => ({ score })),
  }),
  sortedSetRemove: withRevision,
  sortedSetRemoveRange: withRevision,
  sortedSetPop: withRevision,
  sortedSetCombine: withRevision,
  hllAdd: withRevision,
  hllMerge: withRevision,
  bloomCreate: withRevision,
  bloomAdd: withRevision,
};

/** What a result takes in a reply, at most, besides numbers. */
export function answerBytes(result: object): number {
  return Object.values(result).reduce((bytes: number, member: unknown) => bytes + memberBytes(member), 0);
}

function memberBytes(member: unknown): number {
  if (member instanceof Uint8Array) return member.length;
  if (!Array.isArray(member)) return 0;
  return member.reduce((bytes: number, element: unknown) => bytes + elementBytes(element), 0);
}

function elementBytes(element: unknown): number {
  if (element instanceof Uint8Array) return element.length + ELEMENT_BYTES;
  return ELEMENT_BYTES + (isScored(element) ? element.member.length : 0);
}

function isScored(element: unknown): element is ScoredMember {
  return typeof element === 'object' && element !== null && 'member' in element;
}

/** What an element takes besides its bytes: its score, lengths and tags. */
export const ELEMENT_BYTES = 24;
/** A score of its own. */
export const SCORE_BYTES = 12;
