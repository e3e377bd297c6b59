/** What the client's calls on collections take: what a store in process takes too, and what every call over a network does. */
import type * as hash from '../../../collections/hash.ts';
import type * as list from '../../../collections/list.ts';
import type * as set from '../../../collections/set.ts';
import type * as sketch from '../../../collections/sketch.ts';
import type * as sortedSet from '../../../collections/sorted-set.ts';
import type * as calls from '../../../collections/types.ts';
import type { CallOptions, ReadCallOptions } from '../types.ts';

export interface CreateOptions extends calls.CreateOptions, CallOptions {}
export interface ReadOptions extends calls.ReadOptions, ReadCallOptions {}
export interface TakeOptions extends calls.TakeOptions, CallOptions {}
export interface HashSetOptions extends calls.HashSetOptions, CallOptions {}
export interface HashGetOptions extends calls.HashGetOptions, ReadCallOptions {}
export interface HashScanOptions extends calls.HashScanOptions, ReadCallOptions {}
export interface PushOptions extends calls.PushOptions, CallOptions {}
export interface PopOptions extends calls.PopOptions, CallOptions {}
export interface ListRangeOptions extends calls.ListRangeOptions, ReadCallOptions {}
export interface ListScanOptions extends calls.ListScanOptions, ReadCallOptions {}
export interface InsertOptions extends calls.InsertOptions, CallOptions {}
export interface RemoveOptions extends calls.RemoveOptions, CallOptions {}
export interface MoveOptions extends calls.MoveOptions, CallOptions {}
export interface SetScanOptions extends calls.SetScanOptions, ReadCallOptions {}
export interface SetCombineOptions extends calls.SetCombineOptions, ReadCallOptions {}
export interface SortedSetAddOptions extends calls.SortedSetAddOptions, CallOptions {}
export interface ScoreIncrementOptions extends calls.ScoreIncrementOptions, CallOptions {}
export interface RankOptions extends calls.RankOptions, ReadCallOptions {}
export interface SortedSetRangeOptions extends calls.SortedSetRangeOptions, ReadCallOptions {}
export interface SortedSetPopOptions extends calls.SortedSetPopOptions, CallOptions {}
export interface SortedSetCombineOptions extends calls.SortedSetCombineOptions, ReadCallOptions {}
export interface HllCountOptions extends calls.HllCountOptions, ReadCallOptions {}
export interface BloomCreateOptions extends calls.BloomCreateOptions, CallOptions {}

export type Hashes = hash.Hashes<CallOptions, ReadCallOptions>;
export type Lists = list.Lists<CallOptions, ReadCallOptions>;
export type Sets = set.Sets<CallOptions, ReadCallOptions>;
export type SortedSets = sortedSet.SortedSets<CallOptions, ReadCallOptions>;
export type Sketches = sketch.Sketches<CallOptions, ReadCallOptions>;
