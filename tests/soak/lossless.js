// Several calls at once, for MINUTES (10), whose networks and collector fail at random moments (SEED). At the end every dump equals the
// record of its page. Run by `make soak-lossless`.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { openBrowser } from '../harness/browser.js';
import { Collector } from '../harness/collector.js';
import { randomNumbers, torment } from '../harness/faults.js';
import { RecordedCall } from '../harness/recorded-call.js';
import { openSite } from '../harness/site.js';
import { sleep, until } from '../harness/wait.js';

const minutes = Number(process.env.MINUTES ?? 10);
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);

/** What each of the calls is like. @type {Record<string, number>[]} */
const calls = [
  { interval: 500 },
  { interval: 500, media: 1 },
  { interval: 250 },
  // Its buffer overflows now and then.
  { interval: 100, bufferBytes: 64 * 1024 },
];

describe(`${calls.length} calls for ${minutes} minutes, seed ${seed}`, { concurrency: true }, () => {
  /** @type {Collector} */ let collector;
  /** @type {import('../harness/browser.js').Browser} */ let browser;
  /** @type {{ url: string, close: () => Promise<void> }} */ let site;
  const end = Date.now() + minutes * 60_000;

  before(async () => {
    // The calls go on whatever happens, so no session may end because its collector was away for long.
    [collector, browser, site] = await Promise.all([Collector.start({ RTCTRACE_SESSION_RESUME_GRACE: '10m' }), openBrowser(), openSite()]);
  });

  after(async () => {
    await browser?.close();
    await site?.close();
    await collector?.dispose();
  });

  calls.forEach((parameters, index) => {
    it(`${JSON.stringify(parameters)} is complete`, async (test) => {
      const call = await RecordedCall.open({ browser, site, collector }, parameters);
      try {
        await call.opens(15_000);
        const done = await torment(call.proxy, {
          seed: seed + index,
          until: end,
          more: {
            // Not where it would not fit: events of the application may be refused then, too.
            ...(!parameters.bufferBytes && { burst: (_, random) => call.burst(random(3000)) }),
            async refuseForLong(proxy, random) {
              await proxy.refuse();
              await sleep(2000 + random(20_000));
              await proxy.accept();
            },
            /** Until the client finds out. */
            async silenceForLong(proxy) {
              proxy.silence();
              await sleep(25_000);
            },
          },
        });
        await call.opens(60_000);
        // The end of a recording waits 5 s for the last acknowledgements; what an outage has piled up takes longer at the collector's rate.
        await until('the backlog is acknowledged', 120_000, async () => (await call.counters()).bufferedBytes < 64 * 1024);
        test.diagnostic(`${JSON.stringify(done)}, ${call.proxy.asked.length} sockets`);
        const { reports, dropped, outcome } = await call.endAndCompare({ lossy: 'bufferBytes' in parameters });
        test.diagnostic(`${outcome.counters.lines} lines, ${reports} reports equal, ${dropped} dropped`);
        assert.deepEqual(call.faults.filter((fault) => !/WebSocket|ERR_/.test(fault)), []);
      } finally {
        await call.close();
      }
    });
  });

  it('the collector is killed, stopped and started again meanwhile', async (test) => {
    const random = randomNumbers(seed);
    let count = 0;
    for (;;) {
      await sleep(5000 + random(30_000));
      if (Date.now() > end) break;
      await (random(3) ? collector.crash() : collector.stop());
      await sleep(random(5000));
      await collector.run();
      count += 1;
    }
    test.diagnostic(`${count} times`);
  });
});
