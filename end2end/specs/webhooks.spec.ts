// Owners have another program told of a room: made, tried, seen to fail, removed.
import { createHmac } from 'node:crypto';
import { expectAccessible } from '../fixtures/a11y';
import { type Person, ROOM } from '../fixtures/community';
import { refusedWith } from '../fixtures/guard';
import { looks } from '../fixtures/looks';
import { Peer } from '../fixtures/peer';
import { expect, test } from '../fixtures/test';
import type { Words } from '../fixtures/words';
import { RoomPage } from '../pages/room-page';
import type { Page } from '@playwright/test';

test.use({ flags: ['--outgoing-allow', '127.0.0.1/32'] });

let peer: Peer;
let healthy = true;

test.beforeEach(async () => {
  healthy = true;
  peer = await Peer.start(() => ({ status: healthy ? 204 : 500 }));
});

test.afterEach(async () => peer.stop());

async function open(person: Person, room: RoomPage): Promise<Page> {
  const { page, words } = person;
  if (!(await room.about.isVisible())) await page.getByRole('link', { name: words.aboutRoom }).click();
  await page.getByRole('link', { name: words.hooks.link, exact: true }).click();
  await expect(page.getByRole('heading', { level: 1, name: words.hooks.title(room.name) })).toBeVisible();
  return page;
}

async function add(page: Page, words: Words, url: string): Promise<void> {
  await page.getByLabel(words.hooks.url).fill(url);
  await page.getByRole('button', { name: words.hooks.add }).click();
}

test('an owner makes a webhook, its receiver is told, and its log says how that went', async ({ community }) => {
  const owner = await community.owner();
  const words = owner.words.hooks;
  const page = await open(owner, await owner.enter());
  await expect(page.getByText(words.none)).toBeVisible();
  await add(page, owner.words, peer.url('/hook'));
  const secret = await page.getByRole('textbox', { name: words.secret }).inputValue();
  expect(secret).toMatch(/^pmwh_/);
  await expectAccessible(page);
  await page.getByRole('button', { name: words.test }).click();
  await expect.poll(() => peer.received.length).toBe(1);
  expect(JSON.parse(peer.received[0]!.body)).toMatchObject({ room: ROOM.slug, event: { seq: 0, kind: 'test' } });
  await expect(page.getByRole('textbox', { name: words.secret })).toHaveCount(0);

  await page.getByRole('link', { name: words.back }).click();
  const room = new RoomPage(page, owner.words, ROOM.name);
  await room.live();
  await room.say('Told outside');
  await expect.poll(() => peer.received.length).toBe(2);
  const { headers, body } = peer.received[1]!;
  expect(JSON.parse(body).event).toMatchObject({ kind: 'posted', body: 'Told outside' });
  const [, seconds, signature] = String(headers['x-pickmate-signature']).match(/^t=(\d+),v1=(\w+)$/)!;
  expect(createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')).toBe(signature);

  healthy = false;
  await room.say('Nobody takes it');
  await expect.poll(() => peer.received.length).toBe(3);
  await open(owner, room);
  const lines = page.locator('.deliveries li');
  await expect(async () => {
    await page.getByRole('link', { name: words.reload }).click();
    await expect(lines.nth(0)).toContainText(words.retrying, { timeout: 500 });
  }).toPass();
  await expect(lines).toHaveCount(3);
  await expect(lines.nth(0)).toContainText('500');
  await expect(lines.nth(1)).toContainText(words.delivered);
  await expect(lines.nth(2)).toContainText(words.aTest);
  await expectAccessible(page);
  await page.getByRole('button', { name: words.remove }).click();
  await expect(page.getByText(words.none)).toBeVisible();
});

test('an address that may not be reached is refused, and only owners are asked', async ({ community, guard }) => {
  guard.intend(refusedWith(422), refusedWith(403));
  const owner = await community.owner({ browser: { javaScriptEnabled: false } });
  const words = owner.words.hooks;
  await owner.page.goto(`/rooms/${ROOM.slug}/webhooks`);
  await add(owner.page, owner.words, 'http://10.0.0.1/hook');
  await expect(owner.page.getByText(words.badUrl)).toBeVisible();
  await expect(owner.page.getByLabel(words.url)).toHaveValue('http://10.0.0.1/hook');
  const member = await community.newcomer('Member');
  const room = await member.enter();
  await expect(room.about.getByRole('button', { name: member.words.leaveRoom })).toBeVisible();
  await expect(room.about.getByRole('link', { name: member.words.hooks.link })).toHaveCount(0);
  const answer = await member.page.goto(`/rooms/${ROOM.slug}/webhooks`);
  expect(answer!.status()).toBe(403);
});

for (const look of looks) {
  test(`it is accessible: ${look.name}`, async ({ community }) => {
    const owner = await community.owner(look);
    const page = await open(owner, await owner.enter());
    await add(page, owner.words, peer.url(`/${look.phone}/${'a-long-path-'.repeat(20)}`));
    await expect(page.getByRole('textbox', { name: owner.words.hooks.secret })).toBeVisible();
    await expectAccessible(page);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
    expect(wide).toBe(false);
  });
}
