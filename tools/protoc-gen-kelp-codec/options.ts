/** What buf.gen.yaml tells the plugin, besides what every plugin of protoplugin understands. */
export interface CodecOptions {
  /** `file=kelp/storage/v1/log.proto`: all messages of this file. What they refer to comes along. */
  readonly files: readonly string[];
  /**
   * `bigint=kelp.v1.IncrementRequest.delta`: this int64 field uses all of its 64 bits and is a bigint. All others are
   * numbers, of at most 53 bits.
   */
  readonly bigIntFields: readonly string[];
  /** `placed=kelp.storage.v1.PutEffect`: this message also in the form that makes no object of it. */
  readonly placedMessages: readonly string[];
  /** `nested=etcdserverpb.TxnRequest`: this message may contain itself, as deep as its reader bounds it. */
  readonly nestedMessages: readonly string[];
}

export function parseOptions(pairs: readonly { key: string; value: string }[]): CodecOptions {
  const files: string[] = [];
  const bigIntFields: string[] = [];
  const placedMessages: string[] = [];
  const nestedMessages: string[] = [];
  for (const { key, value } of pairs) {
    if (key === 'file') files.push(value);
    else if (key === 'bigint') bigIntFields.push(value);
    else if (key === 'placed') placedMessages.push(value);
    else if (key === 'nested') nestedMessages.push(value);
    else throw new Error(`there is no option ${key}`);
  }
  return { files, bigIntFields, placedMessages, nestedMessages };
}
