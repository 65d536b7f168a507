// The marks of the probe with the time for which the thread had been running, from the browser's trace.

import { median } from './figures.js';

/** @param {import('playwright-core').CDPSession} session @returns {Promise<() => Promise<Map<string, number>>>} ends it; ms by mark */
export async function startTrace(session) {
  /** @type {Map<string, number>} */
  const marks = new Map();
  session.on('Tracing.dataCollected', ({ value }) => {
    for (const { name, tts } of /** @type {any[]} */ (value)) if (tts) marks.set(name, tts / 1000);
  });
  await session.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig: { includedCategories: ['blink.user_timing'] } });
  return async () => {
    const complete = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve));
    await session.send('Tracing.end');
    await complete;
    return marks;
  };
}

/** The spans with times of running in place of times that passed, less what the marks themselves take. @param {any[]} spans @param {Map<string, number>} marks */
export function running(spans, marks) {
  /** @param {string} from @param {string} to */
  const between = (from, to) => (marks.get(to) ?? Number.NaN) - (marks.get(from) ?? Number.NaN);
  const own = median(spans.map(({ id }) => between(`ready ${id}`, `open ${id}`)));
  return spans.map((span) => ({
    ...span,
    time: Math.max(0, between(`open ${span.id}`, `close ${span.id}`) - own),
    bare: span.kind === 'report' ? between(`bare ${span.id}`, `bared ${span.id}`) - own : 0,
  }));
}
