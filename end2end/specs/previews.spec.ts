// What a link leads to stands below its message: once known, for everybody, and only as text.
import { expectAccessible } from '../fixtures/a11y';
import { ROOM } from '../fixtures/community';
import { looks } from '../fixtures/looks';
import { Peer } from '../fixtures/peer';
import { expect, test } from '../fixtures/test';

test.use({ flags: ['--no-rate-limit', '--preview-allow', '127.0.0.1/32'] });

const page = (title: string) => `<title>${title}</title><meta property="og:site_name" content="Guide">
  <meta name="description" content="Where we meet, and how to get there."><meta property="og:image" content="/spy.png">`;

let peer: Peer;

test.beforeAll(async () => {
  peer = await Peer.start(({ path }) => (path === '/gone' ? { status: 404 } : { status: 200, html: page(`Page ${path} <b>&amp;</b>`) }));
});

test.afterAll(async () => peer.stop());

test('a link gets its preview while people look, an edit another, and a deletion none', async ({ community }) => {
  const writer = await community.newcomer('Writer');
  const reader = await community.newcomer('Reader');
  const [here, there] = [await writer.enter(), await reader.enter()];
  await here.say(`look: ${peer.url('/kitchen')} and ${peer.url('/gone')}`);
  const card = there.message('look:').locator('.preview');
  await expect(card).toHaveCount(1);
  await expect(card).toContainText('Page /kitchen <b>&</b>');
  await expect(card).toContainText('Guide');
  await expect(card).toHaveAttribute('rel', /noreferrer/);
  await expect(here.message('look:').locator('.preview')).toHaveCount(1);
  expect(peer.received.filter(({ path }) => path === '/spy.png')).toEqual([]);

  await here.tool('look:', writer.words.editMessage);
  await here.write(`look again: ${peer.url('/studio')}`);
  await expect(there.message('look again').locator('.preview')).toContainText('/studio');
  await expect(there.message('look again').locator('.preview')).toHaveCount(1);
  await here.erase('look again');
  await expect(there.page.locator('.preview')).toHaveCount(0);
  // Who comes later is told the same.
  await here.say(`at last: ${peer.url('/kitchen')}`);
  await expect(there.message('at last').locator('.preview')).toHaveCount(1);
  await there.page.reload();
  await expect(there.message('at last').locator('.preview')).toHaveCount(1);
});

test('what arrives late moves nobody who reads', async ({ community }) => {
  const reader = await community.newcomer('Slow Reader');
  const bot = await community.bot('Slow Reader');
  for (let line = 0; line < 40; line += 1) await bot.post(ROOM.slug, `line ${line}`);
  const room = await reader.enter();
  await room.sees('line 39');
  // At the end one stays at the end.
  await bot.post(ROOM.slug, `newest: ${peer.url('/newest')}`);
  await expect(room.message('newest').locator('.preview')).toBeInViewport({ ratio: 1 });
  // Further up, what is read stays where it is.
  await room.message('line 20').scrollIntoViewIfNeeded();
  const top = async () => Math.round((await room.message('line 20').boundingBox())!.y);
  await expect.poll(async () => Math.abs((await top()) - (await top()))).toBe(0);
  const before = await top();
  await bot.post(ROOM.slug, `below: ${peer.url('/below')}`);
  await expect(room.message('below').locator('.preview')).toHaveCount(1);
  expect(Math.abs((await top()) - before)).toBeLessThanOrEqual(1);
});

for (const look of looks) {
  test(`it is accessible: ${look.name}`, async ({ community }) => {
    const reader = await community.newcomer(`Reader ${look.name}`, look);
    const room = await reader.enter();
    await room.say(`${look.name}: ${peer.url('/kitchen')}`);
    await expect(room.message(look.name).locator('.preview')).toHaveCount(1);
    await expectAccessible(reader.page);
    const wide = await reader.page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
    expect(wide).toBe(false);
  });
}
