// What a first visit to a room downloads and shows.
import type { Page } from '@playwright/test';
import { OWNER, ROOM } from '../fixtures/community';
import { expect, test } from '../fixtures/test';
import { running } from '../pages/app';

test.use({ flags: ['--no-rate-limit'] });

interface LayoutShift extends PerformanceEntry {
  value: number;
  sources: { node?: Element; previousRect: DOMRect; currentRect: DOMRect }[];
}

/** Notes whatever moves from the first paint on. */
async function watchShifts(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const shifts: string[] = [];
    Object.assign(window, { shifts });
    new PerformanceObserver((list) => {
      for (const { value, startTime, sources } of list.getEntries() as LayoutShift[]) {
        const place = ({ x, y, width, height }: DOMRect) => `${x},${y} ${width}×${height}`;
        const moves = sources.map(({ node, previousRect: was, currentRect: is }) => `${node?.nodeName} ${place(was)} → ${place(is)}`);
        shifts.push(`${value} at ${startTime}: ${moves.join('; ')}`);
      }
    }).observe({ type: 'layout-shift', buffered: true });
  });
}

async function shiftsOf(page: Page): Promise<string[]> {
  // Two frames later whatever hydration set off has been painted.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  return await page.evaluate(() => (window as unknown as { shifts: string[] }).shifts);
}

for (const address of ['/rooms', '/people', '/settings']) {
  test(`nothing moves while ${address} loads`, async ({ community }) => {
    for (const viewport of [{ width: 390, height: 844 }, { width: 1440, height: 900 }]) {
      const reader = await community.again(OWNER, { browser: { viewport } });
      await watchShifts(reader.page);
      await reader.page.goto(address);
      await running(reader.page);
      expect(await shiftsOf(reader.page), `layout shifts at ${viewport.width} px`).toEqual([]);
      await reader.context.close();
    }
  });
}

test('nothing moves while a room loads', async ({ community }) => {
  const bot = await community.bot(OWNER);
  for (let line = 0; line < 60; line += 1) await bot.post(ROOM.slug, `line ${line}: 레이아웃이 움직이지 않아요, 글이 조금 길어도요.`);
  for (const viewport of [{ width: 390, height: 844 }, { width: 1440, height: 900 }]) {
    for (const timezoneId of ['Asia/Seoul', 'America/New_York']) {
      const reader = await community.again(OWNER, { browser: { viewport, timezoneId } });
      await watchShifts(reader.page);
      const room = await reader.enter();
      await room.sees('line 59');
      expect(await shiftsOf(reader.page), `layout shifts at ${viewport.width} px, ${timezoneId}`).toEqual([]);
      await reader.context.close();
    }
  }
});

test('the newest message is in view when the room opens', async ({ community }) => {
  const bot = await community.bot(OWNER);
  for (let line = 0; line < 60; line += 1) await bot.post(ROOM.slug, `tall ${line}`);
  const reader = await community.again(OWNER);
  const room = await reader.enter();
  await expect(room.message(/^.*tall 59/s).last()).toBeInViewport();
});

test('program files come compressed and may be kept for ever', async ({ community }) => {
  const reader = await community.again(OWNER);
  const files: { url: string; headers: Record<string, string> }[] = [];
  reader.page.on('response', async (response) => {
    if (response.url().includes('/pkg/')) files.push({ url: response.url(), headers: response.headers() });
  });
  await reader.enter();
  const kinds = files.map(({ url }) => url.split('.').pop());
  expect(new Set(kinds)).toEqual(new Set(['js', 'wasm', 'css']));
  for (const { url, headers } of files) {
    expect(url, 'the name carries a hash of the content').toMatch(/pickmate\.[\w-]{8,}\.(js|wasm|css)$|snippets/);
    expect(headers['content-encoding'], url).toBe('br');
    expect(headers['cache-control'], url).toMatch(/immutable/);
    expect(headers['cache-control'], url).toMatch(/max-age=31536000/);
  }
  expect(files.find(({ url }) => url.endsWith('.wasm'))?.headers['content-type']).toBe('application/wasm');
});

test('a client without Brotli is served too', async ({ community }) => {
  const reader = await community.again(OWNER);
  const wasm = reader.page.waitForResponse(/\.wasm$/);
  await reader.enter();
  const address = (await wasm).url();
  for (const [encoding, expected] of [['gzip', 'gzip'], ['identity', null]] as const) {
    const answer = await fetch(address, { headers: { 'accept-encoding': encoding } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-encoding')).toBe(expected);
    expect(answer.headers.get('vary') ?? '').toMatch(/accept-encoding/i);
    await answer.body?.cancel();
  }
});

test('pages refuse what was not written by the server', async ({ community }) => {
  const reader = await community.again(OWNER);
  const answer = await reader.page.goto(`/rooms/${ROOM.slug}`);
  const policy = answer?.headers()['content-security-policy'] ?? '';
  expect(policy).toMatch(/script-src [^;]*'nonce-[\w+/=-]+'/);
  expect(policy).toContain("'wasm-unsafe-eval'");
  expect(policy).not.toMatch(/script-src [^;]*'unsafe-inline'/);
  expect(answer?.headers()['referrer-policy']).toBe('same-origin');
  expect(answer?.headers()['x-content-type-options']).toBe('nosniff');
});
