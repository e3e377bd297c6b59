/** What the client's calls on collections take: what a store in process takes too, and what every call over a network does. */
import type * as hash from '../../../collections/hash.ts';
import type * as list from '../../../collections/list.ts';
import type * as set from '../../../collections/set.ts';
import type * as sketch from '../../../collections/sketch.ts';
import type * as sortedSet from '../../../collections/sorted-set.ts';
import type * as calls from '../../../collections/types.ts';
import type { CallOptions } from '../types.ts';

export interface CreateOptions extends calls.CreateOptions, CallOptions {}
export interface ReadOptions extends calls.ReadOptions, CallOptions {}
export interface TakeOptions extends calls.TakeOptions, CallOptions {}
export interface HashSetOptions extends calls.HashSetOptions, CallOptions {}
export interface HashGetOptions extends calls.HashGetOptions, CallOptions {}
export interface HashScanOptions extends calls.HashScanOptions, CallOptions {}
export interface PushOptions extends calls.PushOptions, CallOptions {}
export interface PopOptions extends calls.PopOptions, CallOptions {}
export interface ListRangeOptions extends calls.ListRangeOptions, CallOptions {}
export interface ListScanOptions extends calls.ListScanOptions, CallOptions {}
export interface InsertOptions extends calls.InsertOptions, CallOptions {}
export interface RemoveOptions extends calls.RemoveOptions, CallOptions {}
export interface MoveOptions extends calls.MoveOptions, CallOptions {}
export interface SetScanOptions extends calls.SetScanOptions, CallOptions {}
export interface SetCombineOptions extends calls.SetCombineOptions, CallOptions {}
export interface SortedSetAddOptions extends calls.SortedSetAddOptions, CallOptions {}
export interface ScoreIncrementOptions extends calls.ScoreIncrementOptions, CallOptions {}
export interface RankOptions extends calls.RankOptions, CallOptions {}
export interface SortedSetRangeOptions extends calls.SortedSetRangeOptions, CallOptions {}
export interface SortedSetPopOptions extends calls.SortedSetPopOptions, CallOptions {}
export interface SortedSetCombineOptions extends calls.SortedSetCombineOptions, CallOptions {}
export interface HllCountOptions extends calls.HllCountOptions, CallOptions {}
export interface BloomCreateOptions extends calls.BloomCreateOptions, CallOptions {}

export type Hashes = hash.Hashes<CallOptions>;
export type Lists = list.Lists<CallOptions>;
export type Sets = set.Sets<CallOptions>;
export type SortedSets = sortedSet.SortedSets<CallOptions>;
export type Sketches = sketch.Sketches<CallOptions>;
