import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Session } from '../src/import/api';
import { filterText, isNarrowed, NOTHING, ordered, orderParameters, parameters, parseFilter, totalText, wantedSession } from '../src/model/session_filter';

describe('the filter of sessions', () => {
  it('asks for nothing at first', () => {
    assert.deepEqual(parameters(NOTHING), []);
    assert.equal(filterText(NOTHING), '');
    assert.ok(!isNarrowed({ ...NOTHING, by: 'conference', text: '  ' }));
  });

  it('is parameters of the API', () => {
    const filter = { ...NOTHING, by: 'conference' as const, text: ' standup ', state: 'ended', outcome: 'failed', severity: 'critical', from: '2026-11-20T10:00', feature: 'packetsLostRatio>0.05' };
    assert.deepEqual(parameters(filter), [
      ['conference', 'standup'],
      ['state', 'ended'],
      ['outcome', 'failed'],
      ['severity', 'critical'],
      ['feature', 'packetsLostRatio>0.05'],
      ['from', new Date('2026-11-20T10:00').toISOString()],
    ]);
    assert.deepEqual(parameters({ ...NOTHING, from: 'nonsense' }), []);
  });

  it('is an address, and comes back from it', () => {
    const filter = { ...NOTHING, by: 'soraConnection' as const, text: 'a&b=c', browser: 'Chrome', severity: 'warning', to: '2026-11-20T10:00' };
    assert.deepEqual(parseFilter(filterText(filter)), filter);
    assert.deepEqual(parseFilter('by=nothing&other=1'), NOTHING);
  });

  it('knows an id when it sees one', () => {
    const id = '0190163d-8694-739b-aea5-966c26f8ad90';
    assert.equal(wantedSession({ ...NOTHING, text: ` ${id.toUpperCase()} ` }), id);
    assert.equal(wantedSession({ ...NOTHING, text: 'somebody' }), null);
    assert.equal(wantedSession({ ...NOTHING, by: 'session', text: 'x' }), 'x');
    assert.equal(wantedSession({ ...NOTHING, by: 'session' }), null);
  });
});

describe('the order of sessions', () => {
  it('is asked of the API, and the total said in words', () => {
    assert.deepEqual(orderParameters({ column: 'started', descending: true }), []);
    assert.deepEqual(orderParameters({ column: 'duration', descending: false }), [
      ['sort', 'duration'],
      ['order', 'asc'],
    ]);
    assert.deepEqual([1, 2000, 10_000, 10_001].map(totalText), ['1 session', '2,000 sessions', '10,000 sessions', 'more than 10,000 sessions']);
  });

  const session = (id: string, about: Partial<Session>) => ({ id, state: 'ended', startTime: '2026-11-20T10:00:00Z', duration: 0, connections: 0, lines: 0, dumpBytes: null, ...about }) as Session;
  const list = [
    session('a', { startTime: '2026-11-20T12:00:00Z', state: 'live', duration: null, lines: 5 }),
    session('b', { startTime: '2026-11-20T11:00:00Z', duration: 90_000, lines: 9, dumpBytes: 10 }),
    session('c', { startTime: '2026-11-20T10:00:00Z', duration: 10_000, lines: 5, dumpBytes: 30 }),
  ];
  const now = Date.parse('2026-11-20T12:01:00Z');
  const ids = (column: 'started' | 'duration' | 'events' | 'size', descending: boolean) => ordered(list, { column, descending }, now).map(({ id }) => id).join('');

  it('is that of a column, either way', () => {
    assert.equal(ids('started', true), 'abc');
    assert.equal(ids('started', false), 'cba');
    // The one that runs has run for a minute.
    assert.equal(ids('duration', true), 'bac');
    assert.equal(ids('size', true), 'cba');
    assert.equal(ids('events', false), 'acb');
  });
});
