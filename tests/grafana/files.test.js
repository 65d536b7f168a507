// The dashboards as files: their layout, what they name in each other and of the collector's metrics, and what provisions them.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { expand, interpolate, intervalOf } from '../harness/grafana.js';
import { dashboard, dashboards, linksIn, linkTarget, text, textsIn } from './dashboards.js';

const all = dashboards();
const provisioning = text('grafana/provisioning/datasources/rtctrace.yaml');

suite('dashboards as files', () => {
  test('each has an identity, a time range, and panels that lie side by side', () => {
    const uids = all.map(([, { uid }]) => uid);
    assert.deepEqual(uids.sort(), ['rtctrace-collector', 'rtctrace-connections', 'rtctrace-fleet', 'rtctrace-session']);
    for (const [file, { title, time, panels }] of all) {
      assert.ok(title && time.from && time.to, file);
      assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length, `${file}: ids of panels`);
      const taken = new Set();
      for (const { title, gridPos } of panels) {
        assert.ok(gridPos.x + gridPos.w <= 24, `${file}: ${title}`);
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
          for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
            assert.ok(!taken.has(`${x} ${y}`), `${file}: ${title} lies over another panel`);
            taken.add(`${x} ${y}`);
          }
        }
      }
    }
  });

  test('every data source is provisioned', () => {
    const provisioned = [...provisioning.matchAll(/^ +uid: (.+)\n +type: (.+)$/gm)].map(([, uid, type]) => `${type} ${uid}`);
    assert.deepEqual(provisioned, ['grafana-postgresql-datasource rtctrace', 'prometheus rtctrace-metrics']);
    assert.match(provisioning, /timescaledb: true/);
    for (const [file, { panels, templating }] of all) {
      const users = [...panels, ...panels.flatMap(({ targets = [] }) => targets), ...templating.list];
      for (const { datasource } of users) if (datasource) assert.ok(provisioned.includes(`${datasource.type} ${datasource.uid}`), `${file}: ${JSON.stringify(datasource)}`);
    }
  });

  test('links lead to dashboards, and set variables that those have', () => {
    let count = 0;
    for (const [file, board] of all) {
      for (const url of linksIn(board).filter((url) => url.startsWith('/'))) {
        const { uid, variables } = linkTarget(url);
        const names = dashboard(uid).templating.list.map(({ name }) => name);
        for (const [name] of variables) assert.ok(names.includes(name), `${file}: ${url} sets ${name}`);
        count++;
      }
    }
    assert.ok(count > 5);
  });

  test('every variable that is used is there', () => {
    for (const [file, board] of all) {
      const names = board.templating.list.map(({ name }) => name);
      for (const one of textsIn(board)) {
        for (const [, name] of one.matchAll(/\$\{?(\w+)/g)) assert.ok(name.startsWith('__') || names.includes(name), `${file}: ${name} in ${one}`);
      }
    }
  });
});

suite('metrics', () => {
  const source = text('server/src/telemetry/mod.rs');
  const declared = [...source.matchAll(/"(rtctrace_\w+)"/g)].map(([, name]) => name);
  const board = dashboard('rtctrace-collector');
  const expressions = board.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr ?? ''));

  test('the collector\'s dashboard shows every metric that the collector has, and no other', () => {
    assert.ok(expressions.length > 20 && expressions.every(Boolean));
    const queries = [...expressions, ...board.templating.list.map(({ query }) => query.query)];
    const shown = new Set(queries.flatMap((one) => one.match(/\brtctrace_\w+/g) ?? []));
    assert.deepEqual([...shown].sort(), [...new Set(declared)].sort());
    // Without selectors, groups and ranges, there are only functions and metrics.
    const bare = expressions.map((one) => one.replace(/\{[^}]*\}|\bby \([^)]*\)|\[[^\]]*\]/g, ' '));
    const names = new Set(bare.flatMap((one) => one.match(/[a-z_]\w*/g) ?? []));
    for (const known of [...declared, 'up', 'sum', 'min', 'max', 'rate', 'increase']) names.delete(known);
    assert.deepEqual([...names], []);
  });

  test('labels are those that the collector sets', () => {
    const labels = [...source.matchAll(/"(\w+)" => /g)].map(([, name]) => name);
    const grouped = expressions.flatMap((one) => [...one.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, names]) => names.split(', ')));
    for (const name of grouped) assert.ok([...labels, 'instance'].includes(name), name);
    assert.match(text('deploy/prometheus.yml'), /job_name: rtctrace$/m);
  });
});

suite('compose', () => {
  const compose = text('deploy/compose.yaml');

  test('the README makes every secret that is asked for, and the provisioning finds what it names', () => {
    const asked = [...compose.matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name);
    assert.equal(new Set(asked).size, 8);
    for (const name of asked) assert.match(text('README.md'), new RegExp(`\\b${name}\\b`));
    for (const [, name] of provisioning.matchAll(/\$(\w+)/g)) assert.match(compose, new RegExp(`^ +${name}: `, 'm'));
    assert.ok(compose.includes(`:${/path: (.+)/.exec(text('grafana/provisioning/dashboards/rtctrace.yaml'))?.[1]}:ro`));
  });

  test('only the collector and Grafana are published, on loopback unless told otherwise', () => {
    const services = compose.slice(compose.indexOf('\nservices:'), compose.indexOf('\nnetworks:')).split(/\n  (?=\w)/).slice(1);
    const published = services.filter((service) => /^ +ports:/m.test(service));
    assert.deepEqual(published.map((service) => service.split(':')[0]), ['collector', 'grafana']);
    for (const service of published) assert.match(service, /^ +ports: \["\$\{\w+:-127\.0\.0\.1:\d+\}:\d+"(, "\$\{\w+:-127\.0\.0\.1:\d+\}:\d+")*\]$/m);
  });
});

test('variables and macros are expanded as Grafana does it', () => {
  const variables = { name: { values: [`it's`], isMulti: false }, list: { values: ['a', `b'c`], isMulti: true } };
  assert.equal(interpolate('$name ${name} ${name:sqlstring} ${name:raw} $other', variables), `it''s it''s 'it''s' it's $other`);
  assert.equal(interpolate('$list ${list:sqlstring} [[list]]', variables), `'a','b''c' 'a','b''c' 'a','b''c'`);
  const range = { from: new Date('2026-01-01T00:00:00Z'), to: new Date('2026-01-02T00:00:00Z') };
  const expanded = {
    '$__timeGroupAlias(time, $__interval, 0)': `time_bucket('300.000s',time) AS "time"`,
    "$__timeGroup(time, '1h')": `time_bucket('3600.000s',time)`,
    '$__timeFilter(m.time)': `m.time BETWEEN '2026-01-01T00:00:00Z' AND '2026-01-02T00:00:00Z'`,
    'x > $__timeFrom() AND x < $__timeTo()': `x > '2026-01-01T00:00:00Z' AND x < '2026-01-02T00:00:00Z'`,
    '$__unixEpochFilter(x)': 'x >= 1767225600 AND x <= 1767312000',
    $__interval_ms: '300000',
  };
  for (const [sql, result] of Object.entries(expanded)) assert.equal(expand(sql, range, '5m', {}), result);
  assert.throws(() => expand('$__timeFoo(x)', range, '1m', {}), /unknown macro/);
  assert.throws(() => expand('$missing', range, '1m', {}), /nothing is known of \$missing/);
  assert.equal(intervalOf(range, {}), '1m');
  assert.equal(intervalOf(range, { interval: '5m' }), '5m');
  assert.equal(intervalOf(range, { maxDataPoints: 100 }), '15m');
});
