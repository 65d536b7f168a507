import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ConnectionOverview, EntryOverview } from '../src/import/messages';
import { endpoint } from '../src/model/entries';
import { pairs, parseCandidate } from '../src/model/ice';

function entry(id: string, type: string, texts: Record<string, string>, numbers: Record<string, number> = {}): EntryOverview {
  const series = Object.entries(numbers).map(([name, last]) => ({ name, kind: 'counter' as const, unit: '', constant: true, last }));
  return { id, type, start: 0, end: 1, points: 1, texts: Object.fromEntries(Object.entries(texts).map(([name, value]) => [name, { value, changes: 0 }])), series };
}

const connection: ConnectionOverview = {
  id: 'PC_0',
  start: 0,
  end: 1,
  events: 1,
  failures: 0,
  reports: 1,
  descriptions: [],
  states: { connection: [], iceConnection: [], iceGathering: [], signaling: [] },
  tracks: [],
  lanes: [{ entry: 5, member: 'selectedCandidatePairId', changes: [[1, 'p1'], [9, 'p2']] }],
  entries: [
    entry('l', 'local-candidate', { candidateType: 'relay', protocol: 'udp', relayProtocol: 'tls', address: '2001:db8::1' }, { port: 5000 }),
    entry('r', 'remote-candidate', { candidateType: 'host', protocol: 'udp', address: '192.0.2.1' }),
    entry('p0', 'candidate-pair', { state: 'failed', localCandidateId: 'l', remoteCandidateId: 'gone' }, { requestsSent: 7, responsesReceived: 0 }),
    entry('p1', 'candidate-pair', { state: 'succeeded', localCandidateId: 'l', remoteCandidateId: 'r' }, { bytesSent: 500 }),
    entry('p2', 'candidate-pair', { state: 'succeeded', localCandidateId: 'l', remoteCandidateId: 'r' }, { nominated: 1, currentRoundTripTime: 0.02, bytesSent: 10 }),
    entry('t', 'transport', { selectedCandidatePairId: 'p2' }),
  ],
};

describe('candidate pairs', () => {
  it('are told by what was used', () => {
    assert.deepEqual(pairs(connection).map(({ id, selected, state, nominated }) => [id, selected, state, nominated]), [
      ['p2', 'now', 'succeeded', true],
      ['p1', 'before', 'succeeded', false],
      ['p0', 'never', 'failed', false],
    ]);
  });

  it('have their candidates, as far as they are there', () => {
    const [used, , failed] = pairs(connection);
    assert.equal(used?.local && endpoint(used.local), '[2001:db8::1]:5000');
    assert.equal(used?.remote && endpoint(used.remote), '192.0.2.1');
    assert.equal(used?.local?.relayProtocol, 'tls');
    assert.equal(failed?.remote, null);
    assert.equal(failed?.requestsSent, 7);
  });
});

describe('a candidate attribute', () => {
  it('is read by its parts', () => {
    const found = parseCandidate('candidate:842163049 1 udp 1677729535 192.0.2.9 46154 typ srflx raddr 0.0.0.0 rport 0 generation 0 ufrag EEtu');
    assert.deepEqual(found && [found.type, found.protocol, endpoint(found)], ['srflx', 'udp', '192.0.2.9:46154']);
    assert.equal(parseCandidate('candidate:1 1 TCP 1 192.0.2.9 9 typ host tcptype active')?.protocol, 'tcp active');
    for (const none of ['', 'candidate:', 'a=end-of-candidates', 'candidate:1 1 udp 1 192.0.2.9 9']) assert.equal(parseCandidate(none), null, none);
  });
});
