// The dashboards over a seeded fleet in a real TimescaleDB: every query runs as Grafana would send it, by the role that deploy/ makes for
// Grafana, gives what its panel shows, and looks at no chunk outside of its time range.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import pg from 'pg';
import { Collector } from '../harness/collector.js';
import { expand, intervalOf } from '../harness/grafana.js';
import { TimescaleDatabase } from '../harness/timescale.js';
import { dashboard, dashboards, linkTarget, textsIn } from './dashboards.js';

/** @typedef {import('../harness/grafana.js').Range} Range */
/** @typedef {import('../harness/grafana.js').Value} Value */
/** @typedef {import('./dashboards.js').Panel} Panel */
/** @typedef {import('./dashboards.js').Dashboard} Dashboard */

const end = new Date('2026-03-09T12:00:00Z');
const hour = 3_600_000;
/** @type {Range} */
const week = { from: new Date(end.getTime() - 168 * hour), to: end };
/** Those that ask the database. */
const inSql = dashboards().filter(([, { panels }]) => panels.some(({ datasource }) => datasource?.type === 'grafana-postgresql-datasource'));

/** A collector that was built a while ago (COLLECTOR=...) lacks the newest migrations. @param {string} url */
async function bringUpToDate(url) {
  const owner = new pg.Client({ connectionString: url });
  await owner.connect();
  const { rows: [{ version }] } = await owner.query('SELECT max(version)::int AS version FROM rtctrace_schema');
  const folder = new URL('../../migrations/timescale/', import.meta.url);
  const missing = readdirSync(folder).filter((name) => Number.parseInt(name, 10) > version && !name.endsWith('.concurrently.sql')).sort();
  for (const name of missing) await owner.query(readFileSync(new URL(name, folder), 'utf8'));
  await owner.end();
}

const types = pg.types.builtins;
const numeric = [types.INT2, types.INT4, types.INT8, types.FLOAT4, types.FLOAT8, types.NUMERIC];

suite('panels', () => {
  /** @type {TimescaleDatabase} */
  let database;
  /** Grafana's connection, and that of who may look at everything. @type {pg.Client} */
  let grafana;
  /** @type {pg.Client} */
  let admin;

  before(async () => {
    database = await TimescaleDatabase.start();
    const collector = await Collector.start({ RTCTRACE_DATABASE_URL: database.collectorUrl });
    await collector.dispose();
    await bringUpToDate(database.collectorUrl);
    admin = new pg.Client({ connectionString: database.url });
    await admin.connect();
    await admin.query(`SET seed.until = '${end.toISOString()}'`);
    await admin.query(readFileSync(new URL('seed.sql', import.meta.url), 'utf8'));
    await admin.query('ANALYZE');
    grafana = new pg.Client({ connectionString: database.grafanaUrl });
    await grafana.connect();
  });

  after(async () => {
    await grafana?.end();
    await admin?.end();
    await database?.dispose();
  });

  /**
   * What a person sees who opens the dashboard: of a variable all values, or the first.
   * @param {Dashboard} board @param {Range} range @param {Record<string, Value>} chosen @param {boolean} [isEmpty] whether there are no sessions
   */
  async function variablesOf(board, range, chosen, isEmpty = false) {
    /** @type {Record<string, Value>} */
    const variables = {};
    for (const { name, type, query, multi = false, includeAll = false, current } of board.templating.list) {
      let values = [String(current.value ?? '')];
      if (type === 'query') {
        const { rows, fields } = await grafana.query({ text: expand(query, range, '1m', variables), rowMode: 'array' });
        assert.ok(rows.length > 0 || isEmpty, `${board.title}: the variable ${name} has no values`);
        const column = Math.max(0, fields.findIndex((field) => field.name === '__value'));
        values = rows.map((row) => String(row[column]));
        if (!includeAll) values = values.slice(0, 1);
        if (values.length === 0) values = [''];
      }
      variables[name] = chosen[name] ?? { values, isMulti: multi || includeAll };
    }
    return variables;
  }

  /** @param {Panel} panel @param {Range} range @param {Record<string, Value>} variables */
  function queriesOf(panel, range, variables) {
    const interval = intervalOf(range, panel);
    return (panel.targets ?? []).map(({ rawSql = '', format }) => ({ format, sql: expand(rawSql, range, interval, variables) }));
  }

  /** Runs a query as Grafana. @param {string} name for the message @param {string} sql */
  async function ask(name, sql) {
    return grafana.query({ text: sql, rowMode: 'array' }).catch((error) => assert.fail(`${name}: ${error.message}\n${sql}`));
  }

  /**
   * Runs a panel's queries, and looks whether it can show the answers.
   * @param {string} name @param {Panel} panel @param {Range} range @param {Record<string, Value>} variables
   */
  async function show(name, panel, range, variables) {
    for (const { format, sql } of queriesOf(panel, range, variables)) {
      const { fields, rows } = await ask(name, sql);
      const says = `${name}\n${sql}`;
      assert.ok(rows.length > 0, `no rows: ${says}`);
      const numbers = fields.flatMap(({ dataTypeID }, index) => (numeric.includes(dataTypeID) ? [index] : []));
      const texts = fields.flatMap(({ dataTypeID }, index) => (dataTypeID === types.TEXT ? [index] : []));
      /** @param {number} column */
      const hasValues = (column) => rows.some((row) => row[column] !== null);
      if (format === 'time_series') {
        const time = fields.findIndex((field) => field.name === 'time');
        assert.equal(fields[time]?.dataTypeID, types.TIMESTAMPTZ, `no time: ${says}`);
        assert.ok(numbers.length > 0 && numbers.every(hasValues), `no values: ${says}`);
        assert.equal(numbers.length + texts.length + 1, fields.length, `a column that is neither time, number nor label: ${says}`);
        const times = rows.map((row) => row[time].getTime());
        assert.ok(times.every((value, index) => index === 0 || times[index - 1] <= value), `not by time: ${says}`);
        const points = rows.map((row) => JSON.stringify([row[time], ...texts.map((column) => row[column])]));
        assert.equal(new Set(points).size, rows.length, `two values of one time: ${says}`);
        const labels = texts.map((column) => fields[column].name);
        for (const [, label] of JSON.stringify(panel.fieldConfig?.defaults).matchAll(/\$\{__field\.labels\.(\w+)\}/g)) {
          assert.ok(labels.includes(label), `no label ${label}: ${says}`);
        }
        assert.ok(['timeseries', 'state-timeline'].includes(panel.type), says);
      } else if (panel.type === 'stat') {
        assert.ok(rows.length === 1 && numbers.length === 1 && hasValues(numbers[0]), says);
      } else if (panel.type === 'barchart') {
        assert.ok(texts.length === 1 && numbers.length === 1, says);
      } else {
        assert.equal(panel.type, 'table', says);
        const names = fields.map((field) => field.name);
        for (const { matcher } of panel.fieldConfig?.overrides ?? []) assert.ok(names.includes(matcher.options), `no column ${matcher.options}: ${says}`);
        for (const [, column] of JSON.stringify(panel.fieldConfig).matchAll(/\$\{__data\.fields\.(\w+)/g)) {
          assert.ok(names.includes(column), `no column ${column}: ${says}`);
        }
        // Nothing of the fleet is sent in layers.
        for (const [column, name] of names.entries()) assert.ok(hasValues(column) || name === 'rid' || rows.length < 3, `nothing in ${name}: ${says}`);
      }
    }
  }

  /** Whether only connections of Sora have rows for it. @param {Panel} panel */
  const isOfSora = ({ targets = [] }) => targets.some(({ rawSql = '' }) => rawSql.includes('stats_sora_connection'));

  /** @param {string} name @param {Dashboard} board @param {Range} range @param {Record<string, Value>} chosen @param {boolean} [withSora] */
  async function showAll(name, board, range, chosen, withSora = false) {
    const variables = await variablesOf(board, range, chosen);
    const panels = board.panels.filter((panel) => withSora || !isOfSora(panel));
    for (const panel of panels) await show(`${name}, ${panel.title}`, panel, range, variables);
    return panels.filter(({ type }) => type !== 'row').length;
  }

  /** Where a click in a table leads: the dashboard, its range and variables. @param {Panel} panel @param {string} column @param {Record<string, any>} row */
  function click(panel, column, row) {
    const override = panel.fieldConfig?.overrides.find(({ matcher }) => matcher.options === column);
    const links = override?.properties.find(({ id }) => id === 'links')?.value ?? assert.fail(`no link in ${column}`);
    const { uid, variables, times } = linkTarget(links[0].url);
    const board = dashboard(uid);
    /** @param {string} value */
    const filled = (value) => value.replace(/\$\{__(?:data\.fields\.(\w+)|value\.raw)(?::percentencode)?\}/g, (_, field) => String(row[field ?? column]));
    /** @type {Record<string, Value>} */
    const chosen = {};
    for (const [name, value] of variables) {
      const isMulti = board.templating.list.find((variable) => variable.name === name)?.multi ?? false;
      chosen[name] = { values: [filled(value)], isMulti };
    }
    const range = times.from ? { from: new Date(Number(filled(times.from))), to: new Date(Number(filled(times.to))) } : week;
    return { board, range, chosen };
  }

  /** The rows of a table. @param {Dashboard} board @param {string} title @returns {Promise<[Panel, Record<string, any>[]]>} */
  async function tableOf(board, title) {
    const panel = board.panels.find((one) => one.title === title && one.type === 'table') ?? assert.fail(`no table ${title}`);
    const [{ sql }] = queriesOf(panel, week, await variablesOf(board, week, {}));
    return [panel, (await grafana.query(sql)).rows];
  }

  test('the fleet is what it is said to be', async () => {
    const { rows } = await admin.query(`SELECT count(*)::int AS sessions, extract(day FROM max(start_time) - min(start_time))::int AS days FROM sessions`);
    assert.deepEqual(rows, [{ sessions: 200, days: 6 }]);
  });

  test('every panel of the fleet shows rows, by each of its comparisons', async (t) => {
    const board = dashboard('rtctrace-fleet');
    for (const by of ['browser', 'country', 'path', 'system']) t.diagnostic(`${await showAll(`Fleet by ${by}`, board, week, { by: { values: [by], isMulti: false } })} panels`);
    for (const quantile of ['0.75', '0.95']) await showAll(`Fleet, ${quantile}`, board, week, { quantile: { values: [quantile], isMulti: false } });
  });

  test('a filter is one', async () => {
    const board = dashboard('rtctrace-fleet');
    const panel = board.panels.find(({ title }) => title === 'By browser') ?? assert.fail();
    const variables = { ...(await variablesOf(board, week, {})), browser: { values: ['Firefox'], isMulti: true } };
    const [{ sql }] = queriesOf(panel, week, variables);
    const { rows } = await grafana.query(sql);
    assert.deepEqual(rows.map((row) => row.browser), ['Firefox']);
    // What stands in an address is no SQL.
    const [hostile] = queriesOf(panel, week, { ...variables, country: { values: [`x') OR true; DROP TABLE sessions; --`], isMulti: true } });
    assert.equal((await grafana.query(hostile.sql)).rowCount, 0);
  });

  test('causes of failures are told apart', async () => {
    const board = dashboard('rtctrace-fleet');
    const panel = board.panels.find(({ title }) => title === 'Causes of connect failures') ?? assert.fail();
    const [{ sql }] = queriesOf(panel, week, await variablesOf(board, week, {}));
    const { rows } = await grafana.query(sql);
    assert.deepEqual(rows.map(({ cause }) => cause).sort(), ['DTLS failed', 'ICE failed', 'ICE failed, no relay candidate', 'description refused', 'left while connecting', 'no answer']);
    assert.equal(rows.reduce((sum, { connections }) => sum + Number(connections), 0), 33);
  });

  test('the table has all connections; a click on the id of one opens what it received', async (t) => {
    const [panel, rows] = await tableOf(dashboard('rtctrace-connections'), 'Connections');
    const ended = await admin.query('SELECT count(*)::int AS count FROM features_connection');
    const live = await admin.query(`SELECT DISTINCT session_id, connection_id FROM stats_candidate_pair WHERE session_id IN (SELECT id FROM sessions WHERE state = 'live')`);
    assert.equal(rows.length, ended.rows[0].count + (live.rowCount ?? 0));
    const one = rows.find(({ outcome, connection }) => outcome === 'connected' && connection === 'PC_1') ?? assert.fail();
    const { board, range, chosen } = click(panel, 'connection', one);
    assert.equal(board.uid, 'rtctrace-connections');
    assert.deepEqual([chosen.session.values, chosen.connection.values], [[one.session], ['PC_1']]);
    t.diagnostic(`${await showAll('Connections, one of them', board, range, chosen)} panels`);
    // One that still runs has no features yet.
    const opened = click(panel, 'connection', rows.find(({ outcome }) => outcome === 'running') ?? assert.fail());
    const variables = await variablesOf(opened.board, opened.range, opened.chosen);
    for (const other of opened.board.panels.filter((one) => one.type === 'timeseries' && !isOfSora(one))) {
      await show(`Connections, one that runs, ${other.title}`, other, opened.range, variables);
    }
  });

  test('connections of Sora have channel, client, session and role; a click opens what they received', async (t) => {
    const board = dashboard('rtctrace-connections');
    const [panel, rows] = await tableOf(board, 'Connections');
    const ofSora = rows.filter(({ source }) => source === 'sora');
    assert.ok(ofSora.length > 10 && ofSora.length < rows.length / 5);
    for (const row of ofSora) for (const column of ['conference', 'user', 'Sora session', 'role']) assert.ok(row[column], column);
    assert.ok(rows.every((row) => (row.source === 'sora') === Boolean(row.role)));
    const filtered = { ...(await variablesOf(board, week, {})), source: { values: ['sora'], isMulti: true } };
    const [{ sql }] = queriesOf(panel, week, filtered);
    assert.equal((await grafana.query(sql)).rowCount, ofSora.length);
    const one = ofSora.find(({ outcome, connection }) => outcome === 'connected' && connection === 'PC_1') ?? assert.fail();
    const opened = click(panel, 'connection', one);
    t.diagnostic(`${await showAll('Connections, one of Sora', opened.board, opened.range, opened.chosen, true)} panels`);
  });

  test('one of Sora that runs, and of which only Sora itself tells, is in the table', async () => {
    const id = '00000000-0000-7000-8000-000000000001';
    const start = `'${end.toISOString()}'::timestamptz - INTERVAL '5 minutes'`;
    await admin.query(`INSERT INTO sessions (id, source, dialect, state, start_time, url) VALUES ('${id}', 'sora', 'sora', 'live', ${start}, '/sora/webhook/stats')`);
    await admin.query(`INSERT INTO stats_sora_connection (time, session_id, connection_id, stats_id, rtp_total_sent_rtp) VALUES (${start}, '${id}', 'C1', '#0', 1)`);
    try {
      const board = dashboard('rtctrace-connections');
      const [, rows] = await tableOf(board, 'Connections');
      const found = rows.filter(({ session }) => session === id).map(({ connection, outcome }) => [connection, outcome]);
      assert.deepEqual(found, [['C1', 'running']]);
      const { connection } = await variablesOf(board, week, { session: { values: [id], isMulti: false } });
      assert.deepEqual(connection.values, ['C1']);
    } finally {
      await admin.query(`DELETE FROM stats_sora_connection WHERE session_id = '${id}'`);
      await admin.query(`DELETE FROM sessions WHERE id = '${id}'`);
    }
  });

  test('a click on the id of a session opens the session, with every panel filled', async (t) => {
    const [panel, rows] = await tableOf(dashboard('rtctrace-connections'), 'Connections');
    // Not every session has data channels.
    const channels = await admin.query('SELECT DISTINCT session_id::text AS session FROM stats_data_channel');
    const ids = channels.rows.map(({ session }) => session);
    const one = rows.find(({ outcome, connection, session }) => outcome === 'connected' && connection === 'PC_1' && ids.includes(session)) ?? assert.fail();
    const { board, range, chosen } = click(panel, 'session', one);
    assert.equal(board.uid, 'rtctrace-session');
    t.diagnostic(`${await showAll('Session', board, range, chosen)} panels`);
  });

  test('a session that was over and goes on has no features until its next end', async () => {
    const of = "SELECT session_id::text AS session, count(*)::int AS count FROM features_connection GROUP BY 1 HAVING count(*) > 1 LIMIT 1";
    const { rows: [{ session, count }] } = await admin.query(of);
    const fleet = dashboard('rtctrace-fleet');
    const connections = async () => {
      const panel = fleet.panels.find(({ title }) => title === 'Connections') ?? assert.fail();
      const [{ sql }] = queriesOf(panel, week, await variablesOf(fleet, week, {}));
      return Number((await grafana.query(sql)).rows[0].connections);
    };
    const before = await connections();
    try {
      await admin.query("UPDATE sessions SET state = 'live', end_time = NULL WHERE id = $1", [session]);
      assert.equal(await connections(), before - count);
      const [, rows] = await tableOf(dashboard('rtctrace-connections'), 'Connections');
      assert.deepEqual(new Set(rows.filter((row) => row.session === session).map(({ outcome }) => outcome)), new Set(['running']));
      const board = dashboard('rtctrace-session');
      const variables = await variablesOf(board, week, { session: { values: [session], isMulti: false } });
      const ofFeatures = board.panels.flatMap((panel) => queriesOf(panel, week, variables)).filter(({ sql }) => /FROM features_\w+/.test(sql) && !/FROM sessions s\n/.test(sql));
      assert.equal(ofFeatures.length, 3);
      for (const { sql } of ofFeatures) assert.equal((await grafana.query(sql)).rowCount, 0, sql);
    } finally {
      await admin.query("UPDATE sessions SET state = 'ended', end_time = start_time + duration * INTERVAL '1 ms' WHERE id = $1", [session]);
    }
    assert.equal(await connections(), before);
  });

  test('findings of a session lead to their moments in the viewer, and the fleet counts them by rule', async () => {
    const of = `SELECT session_id::text AS session, count(*)::int AS count, min(begin_time) AS begin FROM findings
      WHERE session_id IN (SELECT session_id FROM findings WHERE rule = 'ice-failed') GROUP BY 1 LIMIT 1`;
    const { rows: [{ session, count, begin }] } = await admin.query(of);
    const board = dashboard('rtctrace-session');
    const found = async () => {
      const panel = board.panels.find(({ title }) => title === 'Findings') ?? assert.fail();
      const [{ sql }] = queriesOf(panel, week, await variablesOf(board, week, { session: { values: [session], isMulti: false } }));
      return { panel, rows: (await grafana.query(sql)).rows };
    };
    const { panel, rows } = await found();
    assert.deepEqual(rows.map(({ rule, severity }) => [rule, severity]), [['ice-failed', 'critical'], ['page-hidden', 'notice']]);
    assert.equal(rows.length, count);
    const [failed, page] = rows;
    const at = begin.getTime();
    assert.deepEqual([failed.tab, page.tab, failed.at, failed.from, page.to].map(String), ['id:PC_0', 'page', at, at - 10_000, at + 40_000].map(String));
    const links = textsIn(panel).filter((one) => one.includes('/#/sessions/'));
    assert.equal(links.length, 1);
    assert.match(links[0], /#\/sessions\/\$\{session:raw\}\?tab=\$\{__data\.fields\.tab:percentencode\}&from=.+&to=.+&at=/);

    const fleet = dashboard('rtctrace-fleet');
    /** @param {string} title */
    const ofFleet = async (title) => {
      const one = fleet.panels.find((other) => other.title === title) ?? assert.fail();
      const [{ sql }] = queriesOf(one, week, await variablesOf(fleet, week, {}));
      return (await grafana.query(sql)).rows;
    };
    const hit = async () => Object.fromEntries((await ofFleet('Rules that hit most sessions')).map(({ rule, sessions }) => [rule, Number(sessions)]));
    const { rows: expected } = await admin.query("SELECT rule, count(DISTINCT session_id)::int AS sessions FROM findings WHERE severity <> 'notice' GROUP BY 1");
    const before = await hit();
    assert.deepEqual(before, Object.fromEntries(expected.map(({ rule, sessions }) => [rule, sessions])));
    const overTime = (await ofFleet('Findings by rule')).reduce((sum, { findings }) => sum + Number(findings), 0);
    assert.equal(overTime, expected.reduce((sum, { sessions }) => sum + sessions, 0));
    try {
      // It was over and goes on: nobody knows what it comes to.
      await admin.query("UPDATE sessions SET state = 'live' WHERE id = $1", [session]);
      assert.deepEqual((await found()).rows, []);
      assert.equal((await hit())['ice-failed'], before['ice-failed'] - 1);
    } finally {
      await admin.query("UPDATE sessions SET state = 'ended' WHERE id = $1", [session]);
    }
  });

  test('every dashboard opens over the whole week without a choice', async () => {
    for (const [file, board] of inSql) {
      const variables = await variablesOf(board, week, {});
      for (const panel of board.panels) for (const { sql } of queriesOf(panel, week, variables)) await ask(`${file}, ${panel.title}`, sql);
    }
  });

  test('no query fails where there is nothing', async () => {
    const before = { from: new Date(week.from.getTime() - 2 * hour), to: new Date(week.from.getTime() - hour) };
    for (const [file, board] of inSql) {
      const variables = await variablesOf(board, before, {}, true);
      for (const panel of board.panels) for (const { sql } of queriesOf(panel, before, variables)) await ask(`${file}, ${panel.title}`, sql);
    }
  });

  test('queries look at no chunk outside of their time range', async (t) => {
    const range = { from: new Date(end.getTime() - 75 * hour), to: new Date(end.getTime() - 73 * hour) };
    const { rows: chunks } = await admin.query('SELECT chunk_name, hypertable_name, range_start, range_end FROM timescaledb_information.chunks');
    // A minute's row has what came in that minute.
    const earliest = new Date(range.from.getTime() - 60_000);
    const near = new Set(chunks.filter((chunk) => chunk.range_start <= range.to && chunk.range_end >= earliest).map((chunk) => chunk.chunk_name));
    const during = 'SELECT id FROM sessions WHERE start_time BETWEEN $1 AND $2 AND connections > 0 ORDER BY start_time LIMIT 1';
    const { rows: [session] } = await admin.query(during, [range.from, range.to]);
    const chosen = { session: { values: [session.id], isMulti: false }, connection: { values: ['PC_0'], isMulti: true } };
    let explained = 0;
    for (const [file, board] of inSql) {
      const variables = await variablesOf(board, range, chosen);
      const ofPanels = board.panels.flatMap((panel) => queriesOf(panel, range, variables).map(({ sql }) => [panel.title, sql]));
      const ofVariables = board.templating.list.flatMap(({ name, type, query }) => (type === 'query' ? [[name, expand(query, range, '1m', variables)]] : []));
      for (const [title, sql] of [...ofPanels, ...ofVariables]) {
        if (!/\b(FROM|JOIN) (stats_|\w+_minute\b)/.test(sql)) continue;
        const plan = (await admin.query(`EXPLAIN (FORMAT JSON) ${sql}`)).rows[0]['QUERY PLAN'];
        const scanned = new Set(textsIn(plan).filter((one) => /^_hyper_\d+_\d+_chunk$/.test(one)));
        const says = `${file}, ${title}\n${sql}`;
        assert.ok(scanned.size > 0, `no chunk: ${says}`);
        for (const chunk of scanned) assert.ok(near.has(chunk), `looks at ${chunk}, outside of its range: ${says}`);
        const hypertables = new Set(chunks.filter((chunk) => scanned.has(chunk.chunk_name)).map((chunk) => chunk.hypertable_name));
        const existing = chunks.filter((chunk) => hypertables.has(chunk.hypertable_name)).length;
        assert.ok(existing >= 7 * hypertables.size && scanned.size <= 2 * hypertables.size, `${scanned.size} of ${existing} chunks: ${says}`);
        explained++;
      }
    }
    t.diagnostic(`${explained} queries of stats`);
    assert.ok(explained > 60);
  });

  test('Grafana\'s role reads all tables and changes none', async (t) => {
    if (!database.hasRoles) return t.skip('the server gave no roles');
    const relations = `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname ~ '^(sessions|findings|features_\\w+|stats_\\w+|\\w+_minute)$' AND relkind IN ('r', 'v')`;
    const { rows } = await grafana.query(relations);
    assert.equal(rows.length, 5 + 15 + 6);
    for (const { relname } of rows) await grafana.query(`SELECT FROM ${relname} LIMIT 1`);
    // Read-only by its settings, which it may change, and by its rights, which it may not.
    await assert.rejects(grafana.query('DELETE FROM sessions'), { code: '25006' });
    await grafana.query('SET default_transaction_read_only = off');
    const insert = `INSERT INTO stats_codec (time, session_id, connection_id, stats_id) SELECT now(), id, '', '' FROM sessions`;
    for (const sql of ['DELETE FROM sessions', insert, 'TRUNCATE sessions', 'CREATE TABLE more (id int)', 'CREATE SCHEMA more']) {
      await assert.rejects(grafana.query(sql), { code: '42501' }, sql);
    }
  });
});
