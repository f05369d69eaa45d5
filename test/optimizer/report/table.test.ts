import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  percent,
  renderLayers,
  renderTable,
} from '#burnish/optimizer/report/table.js';
import type { LayerReport, QuantizationStepReport } from '#burnish/optimizer/report/types.js';

function layer(module: string, groupSize: number | null, relativeRms: number): LayerReport {
  return {
    module,
    shape: [8, 128],
    scheme: {
      type: 'int',
      bits: 4,
      strategy: groupSize === null ? 'channel' : 'group',
      groupSize,
      symmetric: true,
    },
    error: { relativeRms, output: null, worst: { absolute: 0.5, row: 0, column: 0 } },
    bytesBefore: 2048,
    bytesAfter: 528,
    seconds: 0.001,
  };
}

describe('renderLayers', () => {
  it('gives a line to each kind of layer and each of its schemes, and the totals', () => {
    const step = {
      technique: 'quantization',
      evaluation: null,
      layers: [
        layer('model.layers.0.mlp.experts.0.down_proj', 128, 0.1),
        layer('model.layers.0.mlp.experts.11.down_proj', 128, 0.2),
        layer('model.layers.1.mlp.experts.0.down_proj', null, 0.3),
        layer('lm_head', 128, 0.1),
      ],
      totals: {
        weightBytesBefore: 8192,
        weightBytesAfter: 2112,
        ratio: 8192 / 2112,
        quantizedShare: 0.815,
        relativeRms: 0.1,
      },
      performance: { seconds: 1.5, bytesPerSecond: 1_500_000_000, peakMemoryBytes: 1e8 },
    } as unknown as QuantizationStepReport;
    expect(renderLayers(step)).toEqual([
      'layers                                      count          scheme  mean error     most   before    after',
      '------------------------------------------  -----  --------------  ----------  -------  -------  -------',
      'model.layers.*.mlp.experts.*.down_proj          2  int4 group 128     15.00 %  20.00 %  4.10 kB  1.06 kB',
      'model.layers.*.mlp.experts.*.down_proj (2)      1    int4 channel     30.00 %  30.00 %  2.05 kB    528 B',
      'lm_head                                         1  int4 group 128     10.00 %  10.00 %  2.05 kB    528 B',
      '',
      'weights 8.19 kB -> 2.11 kB, 3.88 times smaller; 81.50 % of the parameters quantized; relative RMS error 10.00 %',
      'took 1.50 s, 1.50 GB/s while quantizing, peak memory 100.00 MB',
    ]);
  });
});

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 kB'],
    [5_776_296, '5.78 MB'],
    [1.07e9, '1.07 GB'],
    [4.2e15, '4200.00 TB'],
  ])('writes %s as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe('percent', () => {
  it('has two digits after the point', () => {
    expect(percent(0.81754)).toBe('81.75 %');
  });
});

describe('renderTable', () => {
  it('is as wide as its widest cells', () => {
    expect(
      renderTable(
        ['a', 'bb'],
        [
          ['long', '1'],
          ['x', '333'],
        ],
      ),
    ).toEqual(['a      bb', '----  ---', 'long    1', 'x     333']);
  });
});
