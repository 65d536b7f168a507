import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { ConnectionOverview, EntryOverview } from '../src/import/messages';
import { entryItems } from '../src/model/entries';
import { highlights } from '../src/model/highlights';

function stream(id: string, mid: string, ssrc: number): EntryOverview {
  const series = [
    { name: '[bytesReceived_in_bits/s]', kind: 'derived' as const, unit: 'bits/s', constant: false, last: null },
    { name: 'ssrc', kind: 'gauge' as const, unit: '', constant: true, last: ssrc },
  ];
  const texts = { kind: { value: 'video', changes: 0 }, mid: { value: mid, changes: 0 } };
  return { id, type: 'inbound-rtp', start: 0, end: 1, points: 2, texts, series };
}

it('streams of one media section are told apart by what they are known by on the wire', () => {
  const connection = { entries: [stream('a', '1', 77), stream('b', '1', 78), stream('c', '2', 79)] } as unknown as ConnectionOverview;
  const labels = highlights(entryItems(connection)).flatMap(({ lines }) => lines.map(({ label }) => label));
  assert.deepEqual(labels, ['in · video · mid 1 · ssrc 77', 'in · video · mid 1 · ssrc 78', 'in · video · mid 2']);
});
