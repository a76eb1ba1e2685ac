// From Enter in one browser to the text in the other's page, on both their clocks.
import { OWNER, ROOM } from '../fixtures/community';
import { expect, test } from '../fixtures/test';
import type { Page } from '@playwright/test';

test.use({ flags: ['--no-rate-limit'] });
test.describe.configure({ timeout: 180_000 });

const MESSAGES = 220;
const MEDIAN_MS = 50;
const P95_MS = 150;

interface Clocks {
  sent: Record<string, number>;
  seen: Record<string, number>;
}

/** Notes when Enter is pressed on a text, and when a text with a number appears. Both on the machine's one clock. */
async function watch(page: Page): Promise<void> {
  await page.evaluate(() => {
    const clocks: Clocks = { sent: {}, seen: {} };
    const now = () => performance.timeOrigin + performance.now();
    document.addEventListener(
      'keydown',
      (event) => {
        if (event.key === 'Enter' && event.target instanceof HTMLTextAreaElement) clocks.sent[event.target.value] = now();
      },
      { capture: true },
    );
    const log = document.querySelector('[role=log]')!;
    new MutationObserver((changes) => {
      for (const change of changes) {
        for (const node of change.addedNodes) {
          for (const text of node.textContent?.match(/mark-\d+/g) ?? []) clocks.seen[text] ??= now();
        }
      }
    }).observe(log, { childList: true, subtree: true, characterData: true });
    Object.assign(window, { clocks });
  });
}

const clocksOf = (page: Page) => page.evaluate(() => (window as unknown as { clocks: Clocks }).clocks);

test('send to visible: median under 50 ms, p95 under 150 ms', async ({ community }) => {
  const one = await community.owner();
  const two = await community.newcomer('Second');
  const here = await one.enter();
  const there = await two.enter();
  await here.say('warm');
  await there.say('warmer');
  await watch(one.page);
  await watch(two.page);

  const pairs = [[here, there], [there, here]] as const;
  for (let number = 0; number < MESSAGES; number += 1) {
    const [from, to] = pairs[number % 2]!;
    const text = `mark-${number}`;
    const arrived = to.page.waitForFunction((mark) => mark in (window as unknown as { clocks: Clocks }).clocks.seen, text);
    await from.write(text);
    await arrived;
  }

  const [first, second] = [await clocksOf(one.page), await clocksOf(two.page)];
  const times = Array.from({ length: MESSAGES }, (_, number) => {
    const text = `mark-${number}`;
    const [from, to] = number % 2 === 0 ? [first, second] : [second, first];
    return to.seen[text]! - from.sent[text]!;
  }).toSorted((a, b) => a - b);
  const median = times[Math.floor(MESSAGES / 2)]!;
  const p95 = times[Math.floor(MESSAGES * 0.95)]!;
  console.log(`send to visible over ${MESSAGES} messages: median ${median.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms, max ${times.at(-1)!.toFixed(1)} ms`);
  expect(median).toBeLessThan(MEDIAN_MS);
  expect(p95).toBeLessThan(P95_MS);

  const bot = await community.bot(OWNER);
  expect((await bot.log(ROOM.slug)).filter((event) => event.body?.startsWith('mark-')).length).toBe(MESSAGES);
});
