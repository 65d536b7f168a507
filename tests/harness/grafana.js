// What Grafana makes of a query before the database sees it: variables first, in the browser, then the macros of its PostgreSQL data source.
// https://grafana.com/docs/grafana/latest/datasources/postgres/#macros

/** @typedef {{from: Date, to: Date}} Range */
/** @typedef {{values: string[], isMulti: boolean}} Value what is chosen of a variable; `isMulti`: it may be several, or all */

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** @param {string} text such as `10s` @returns {number} ms */
export function milliseconds(text) {
  const [, count, unit] = /^(\d+)(ms|[smhdw])$/.exec(text) ?? [];
  if (!unit) throw new Error(`${text} is no interval`);
  return Number(count) * units[/** @type {keyof typeof units} */ (unit)];
}

/** Each is taken from where the one before is nearer no more. */
const roundIntervals = ['1ms', '10ms', '20ms', '50ms', '100ms', '200ms', '500ms', '1s', '2s', '5s', '10s', '15s', '20s', '30s', '1m', '2m', '5m', '10m', '15m', '20m', '30m', '1h', '2h', '3h',
  '6h', '12h', '1d', '7d'];

/**
 * The step of a panel: its range over its points, made round, and no less than the panel wants.
 * @param {Range} range @param {{maxDataPoints?: number, interval?: string}} panel
 */
export function intervalOf(range, panel) {
  const exact = (range.to.getTime() - range.from.getTime()) / (panel.maxDataPoints ?? 1000);
  const least = panel.interval ? milliseconds(panel.interval) : 1;
  if (exact <= least) return panel.interval ?? '1ms';
  const index = roundIntervals.findIndex((interval, at) => at + 1 === roundIntervals.length || exact < (milliseconds(interval) + milliseconds(roundIntervals[at + 1])) / 2);
  return roundIntervals[index];
}

/** @param {string} text */
const literal = (text) => `'${text.replaceAll("'", "''")}'`;

/**
 * @param {string} name @param {Value} value @param {string | undefined} format
 */
function format(name, { values, isMulti }, format) {
  switch (format) {
    case 'sqlstring':
      return values.map(literal).join(',');
    case 'raw':
      return values.join(',');
    case 'percentencode':
      return encodeURIComponent(values.length === 1 ? values[0] : `{${values.join(',')}}`);
    case 'queryparam':
      return values.map((value) => `var-${name}=${encodeURIComponent(value)}`).join('&');
    case undefined:
      return isMulti ? values.map(literal).join(',') : values.join(',').replaceAll("'", "''");
    default:
      throw new Error(`variables are not written as ${format} here`);
  }
}

/**
 * `$name`, `${name:format}` and `[[name:format]]`. A name that nobody knows stays, as in Grafana.
 * @param {string} text @param {Record<string, Value>} variables
 */
export function interpolate(text, variables) {
  return text.replace(/\$(\w+)|\[\[(\w+?)(?::(\w+))?\]\]|\$\{(\w+)(?::(\w+))?\}/g, (match, plain, square, squareFormat, curly, curlyFormat) => {
    const name = plain ?? square ?? curly;
    return name in variables ? format(name, variables[name], squareFormat ?? curlyFormat) : match;
  });
}

/**
 * The macros of the data source where it is set to TimescaleDB. An argument ends at the first closing bracket, as it does there.
 * @param {string} sql @param {Range} range
 */
export function expandMacros(sql, range) {
  const [from, to] = [range.from, range.to].map((time) => `'${time.toISOString().replace('.000Z', 'Z')}'`);
  const [fromSeconds, toSeconds] = [range.from, range.to].map((time) => Math.floor(time.getTime() / 1000));
  /** @param {string[]} args */
  const group = ([column, interval]) => {
    if (!interval) throw new Error('a macro needs a column and an interval');
    const seconds = milliseconds(interval.replaceAll("'", '')) / 1000;
    return `time_bucket('${seconds.toFixed(3)}s',${column})`;
  };
  /** @type {Record<string, (args: string[]) => string>} */
  const macros = {
    __time: ([column]) => `${column} AS "time"`,
    __timeEpoch: ([column]) => `extract(epoch from ${column}) as "time"`,
    __timeFilter: ([column]) => `${column} BETWEEN ${from} AND ${to}`,
    __timeFrom: () => from,
    __timeTo: () => to,
    __timeGroup: group,
    __timeGroupAlias: (args) => `${group(args)} AS "time"`,
    __unixEpochFilter: ([column]) => `${column} >= ${fromSeconds} AND ${column} <= ${toSeconds}`,
    __unixEpochFrom: () => String(fromSeconds),
    __unixEpochTo: () => String(toSeconds),
  };
  return sql.replace(/\$([_a-zA-Z0-9]+)\(([^)]*)\)/g, (_, name, args) => {
    if (!(name in macros)) throw new Error(`unknown macro $${name}`);
    return macros[name](args.split(',').map((/** @type {string} */ arg) => arg.trim()));
  });
}

/**
 * A query as it reaches the database.
 * @param {string} sql @param {Range} range @param {string} interval @param {Record<string, Value>} variables
 */
export function expand(sql, range, interval, variables) {
  const builtIn = { __interval: { values: [interval], isMulti: false }, __interval_ms: { values: [String(milliseconds(interval))], isMulti: false } };
  const text = expandMacros(interpolate(sql, { ...variables, ...builtIn }), range);
  const left = /\$\{?\w+|\[\[/.exec(text);
  if (left) throw new Error(`nothing is known of ${left[0]} in ${text}`);
  return text;
}
