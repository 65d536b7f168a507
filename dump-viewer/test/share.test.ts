import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { align } from '../src/model/columns';
import { parseRoute } from '../src/model/route';
import { csv, fileName } from '../src/model/save';
import { parseView, viewText } from '../src/model/view_state';

const NOTHING = { tab: null, pane: null, from: null, to: null, at: null, event: null };

describe('an address', () => {
  it('names a page, and apart from it what is shown there', () => {
    assert.deepEqual(parseRoute('#/sessions/a%2Fb?tab=all&at=5'), { page: 'session', id: 'a/b', view: 'tab=all&at=5' });
    assert.deepEqual(parseRoute('#/file?at=5'), { page: 'file', place: 0, view: 'at=5' });
    assert.deepEqual(parseRoute(''), { page: 'sessions', view: '' });
    assert.deepEqual(parseRoute('#/sessions/%'), { page: 'session', id: '%', view: '' });
  });

  it('says what a view shows', () => {
    const view = { tab: 'id:PC_0 & more', pane: 'ice', from: 1795159383861, to: 1795159383999, at: 0, event: 7 };
    assert.deepEqual(parseView(viewText(view)), view);
    assert.deepEqual(parseView(''), NOTHING);
    assert.equal(viewText(NOTHING), '');
  });

  it('may say nonsense', () => {
    assert.deepEqual(parseView('from=x&to=&at=Infinity&event=-1&event2=1'), NOTHING);
    assert.deepEqual(parseView('event=1.5'), NOTHING);
    assert.deepEqual(parseView('at=1e300&from=-1e16&to=x'), NOTHING);
  });
});

describe('the values of a graph', () => {
  it('are lines that a spreadsheet reads', () => {
    const columns = align([
      { time: Float64Array.of(0, 1000), breaks: new Uint32Array(), values: [Float64Array.of(1.5, NaN)] },
      { time: Float64Array.of(1000), breaks: new Uint32Array(), values: [Float64Array.of(-2)] },
    ]);
    assert.equal(csv(columns, ['a "b", c', 'd'], 's'), [
      'time,unixMs,"a ""b"", c (s)",d (s)',
      '1970-01-01T00:00:00.000Z,0,1.5,',
      '1970-01-01T00:00:01.000Z,1000,,-2',
      '',
    ].join('\r\n'));
  });

  it('are saved under a name that any system takes', () => {
    assert.equal(fileName('Packet loss, receiving', 'csv'), 'Packet-loss-receiving.csv');
    assert.equal(fileName('[bytesReceived_in_bits/s]', 'csv'), 'bytesReceived_in_bits-s.csv');
    assert.equal(fileName('..', 'png'), 'rtctrace.png');
  });
});
