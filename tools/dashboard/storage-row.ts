/** The files of an engine on disk: of servers with `--engine memory` these panels have no data. */
import type { PanelDefinition, RowDefinition } from './dashboard.ts';
import { rate, series } from './expressions.ts';

export const storageRow: RowDefinition = {
  title: 'Files of the engine (btree, lsm, bitcask)',
  panels: [
    {
      title: 'Size of the files',
      description:
        'All files of the engine, and what of them is live. The difference waits for merges, or for kelp compact --storage.',
      kind: 'timeseries',
      unit: 'bytes',
      width: 8,
      targets: [
        [series('kelp_storage_bytes'), 'all, {{instance}}'],
        [series('kelp_storage_live_bytes'), 'live, {{instance}}'],
      ],
    },
    {
      title: 'Space amplification',
      description:
        'How many times the length of keys and values the files take, and how many files there are.',
      kind: 'timeseries',
      unit: 'short',
      width: 8,
      targets: [
        [`${series('kelp_storage_bytes')} / ${series('kelp_storage_data_bytes')}`, 'times, {{instance}}'],
        [series('kelp_storage_files'), 'files, {{instance}}'],
      ],
    },
    {
      title: 'On its way to the files',
      description:
        'What has changed since the newest checkpoint was begun, and what the one under way writes. It is in memory and in the log.',
      kind: 'timeseries',
      unit: 'bytes',
      width: 8,
      targets: [
        [series('kelp_storage_unsealed_bytes'), 'changed, {{instance}}'],
        [series('kelp_storage_sealed_bytes'), 'being written, {{instance}}'],
      ],
      isStacked: true,
    },
    {
      title: 'Written to the files',
      description:
        'By checkpoints and by merges. Much by merges for little by checkpoints is write amplification.',
      kind: 'timeseries',
      unit: 'Bps',
      width: 6,
      targets: [
        [`sum(${rate('kelp_storage_flushed_bytes_total')})`, 'checkpoints'],
        [`sum(${rate('kelp_storage_merged_bytes_total')})`, 'merges'],
      ],
      isStacked: true,
    },
    {
      title: 'Reads of the files',
      description: 'What the caches did not have. Each holds the event loop up as long as the disk takes.',
      kind: 'timeseries',
      unit: 'cps',
      width: 6,
      targets: [[`sum by (instance) (${rate('kelp_storage_cache_misses_total')})`, 'reads, {{instance}}']],
    },
    shares(
      'Found without a read',
      'Of reads, those that a cache had; of lookups of absent keys, those that a filter ended (lsm).',
      [
        ['kelp_storage_cache_hits_total', 'kelp_storage_cache_misses_total', 'in a cache'],
        ['kelp_storage_filter_stops_total', 'kelp_storage_filter_misses_total', 'ended by a filter'],
      ],
    ),
    {
      title: 'Compressed to',
      description: 'What is left of what was compressed. Bytes that do not shrink are not counted.',
      kind: 'timeseries',
      unit: 'percentunit',
      width: 6,
      targets: [
        [
          `sum(${rate('kelp_storage_compressed_bytes_total')}) / sum(${rate('kelp_storage_plain_bytes_total')})`,
          'of its size',
        ],
      ],
    },
  ],
};

/** How much of all the one counter counts. */
function shares(
  title: string,
  description: string,
  pairs: readonly (readonly [part: string, other: string, legend: string])[],
): PanelDefinition {
  return {
    title,
    description,
    kind: 'timeseries',
    unit: 'percentunit',
    width: 6,
    targets: pairs.map(([part, other, legend]) => [
      `sum(${rate(part)}) / (sum(${rate(part)}) + sum(${rate(other)}))`,
      legend,
    ]),
  };
}
