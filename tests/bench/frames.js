// What frames cost while something goes on: how long the page's main thread works for each, by the browser's trace, and how far they are
// apart.

/** A frame of the page as the browser makes it: its script, style, layout and paint. */
const FRAME = 'ProxyMain::BeginMainFrame';
const TASK = 'ThreadControllerImpl::RunTask';

/**
 * The first are milliseconds of work for each frame: all tasks of the main thread since the frame before, which an input or a timer began,
 * and those of the frame itself. The others are the intervals between frames, of as many as could be made: they hold the work of all
 * threads, and on a machine without a graphics processor most of it is that of putting the picture together.
 * @param {import('playwright-core').Page} page @param {() => Promise<void>} act
 * @returns {Promise<{ work: number[], apart: number[] }>}
 */
export async function framesDuring(page, act) {
  const session = await page.context().newCDPSession(page);
  /** @type {any[]} */
  const events = [];
  session.on('Tracing.dataCollected', ({ value }) => void events.push(...value));
  await session.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig: { includedCategories: ['toplevel', 'cc'] } });
  await act();
  const complete = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve));
  await session.send('Tracing.end');
  await complete;
  await session.detach();
  return ofMainThread(events);
}

/** @param {any[]} events */
function ofMainThread(events) {
  /** @type {Map<string, any[]>} */
  const threads = new Map();
  for (const event of events) {
    if (event.ph !== 'X' || (event.name !== FRAME && event.name !== TASK)) continue;
    const thread = `${event.pid} ${event.tid}`;
    threads.set(thread, [...(threads.get(thread) ?? []), event]);
  }
  const count = (/** @type {any[]} */ all) => all.filter(({ name }) => name === FRAME).length;
  const own = [...threads.values()].sort((a, b) => count(b) - count(a))[0] ?? [];
  const tasks = own.filter(({ name }) => name === TASK).sort((a, b) => a.ts - b.ts);
  const frames = own.filter(({ name }) => name === FRAME).sort((a, b) => a.ts - b.ts);
  const work = [];
  let [at, sum] = [0, 0];
  for (const frame of frames) {
    for (; at < tasks.length && tasks[at].ts <= frame.ts; at += 1) sum += tasks[at].dur / 1000;
    work.push(sum);
    sum = 0;
  }
  // What was there before it began belongs to none of them.
  return { work: work.slice(1), apart: frames.slice(1).map(({ ts }, index) => (ts - frames[index].ts) / 1000) };
}
