// Owners have another program told of a room: made, tried, seen to fail, removed.
import { createHmac } from 'node:crypto';
import { expectAccessible } from '../fixtures/a11y';
import type { Person } from '../fixtures/community';
import { refusedWith } from '../fixtures/guard';
import { looks } from '../fixtures/looks';
import { Peer } from '../fixtures/peer';
import { expect, test } from '../fixtures/test';
import type { RoomPage } from '../pages/room-page';

test.use({ flags: ['--outgoing-allow', '127.0.0.1/32'] });

let peer: Peer;
let healthy = true;

test.beforeEach(async () => {
  healthy = true;
  peer = await Peer.start(() => ({ status: healthy ? 204 : 500 }));
});

test.afterEach(async () => peer.stop());

async function open(person: Person, room: RoomPage) {
  const { page, words } = person;
  if (!(await room.about.isVisible())) await page.getByRole('button', { name: words.aboutRoom }).click();
  await room.about.getByRole('button', { name: words.hooks.title }).click();
  return page.getByRole('dialog', { name: words.hooks.title });
}

test('an owner makes a webhook, its receiver is told, and its log says how that went', async ({ community }) => {
  const owner = await community.owner();
  const room = await owner.enter();
  const dialog = await open(owner, room);
  await expect(dialog.getByText(owner.words.hooks.none)).toBeVisible();
  await dialog.getByLabel(owner.words.hooks.url).fill(peer.url('/hook'));
  await dialog.getByRole('button', { name: owner.words.hooks.add }).click();
  const secret = await dialog.getByRole('textbox', { name: owner.words.hooks.secret }).inputValue();
  expect(secret).toMatch(/^pmwh_/);
  await dialog.getByRole('button', { name: owner.words.hooks.test }).click();
  await expect.poll(() => peer.received.length).toBe(1);
  expect(JSON.parse(peer.received[0]!.body)).toMatchObject({ room: 'general', event: { seq: 0, kind: 'test' } });
  await expectAccessible(owner.page);
  await owner.page.keyboard.press('Escape');

  await room.say('Told outside');
  await expect.poll(() => peer.received.length).toBe(2);
  const { headers, body } = peer.received[1]!;
  expect(JSON.parse(body).event).toMatchObject({ kind: 'posted', body: 'Told outside' });
  const [, seconds, signature] = String(headers['x-pickmate-signature']).match(/^t=(\d+),v1=(\w+)$/)!;
  expect(createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')).toBe(signature);

  healthy = false;
  await room.say('Nobody takes it');
  await expect.poll(() => peer.received.length).toBe(3);
  const again = await open(owner, room);
  await again.getByText(owner.words.hooks.log).click();
  const lines = again.locator('.deliveries li');
  await expect(lines).toHaveCount(3);
  await expect(lines.nth(0)).toContainText(owner.words.hooks.retrying);
  await expect(lines.nth(0)).toContainText('500');
  await expect(lines.nth(1)).toContainText(owner.words.hooks.delivered);
  await expect(lines.nth(2)).toContainText(owner.words.hooks.aTest);
  await expectAccessible(owner.page);
  await again.getByRole('button', { name: owner.words.hooks.remove }).click();
  await expect(again.getByText(owner.words.hooks.none)).toBeVisible();
});

test('an address that may not be reached is refused, and only owners are asked', async ({ community, guard }) => {
  guard.intend(refusedWith(422));
  const owner = await community.owner();
  const dialog = await open(owner, await owner.enter());
  await dialog.getByLabel(owner.words.hooks.url).fill('http://10.0.0.1/hook');
  await dialog.getByRole('button', { name: owner.words.hooks.add }).click();
  await expect(dialog.getByText(owner.words.hooks.badUrl)).toBeVisible();
  const member = await community.newcomer('Member');
  const room = await member.enter();
  await expect(room.about.getByRole('button', { name: member.words.leaveRoom })).toBeVisible();
  await expect(room.about.getByRole('button', { name: member.words.hooks.title })).toHaveCount(0);
});

for (const look of looks) {
  test(`it is accessible: ${look.name}`, async ({ community }) => {
    const owner = await community.owner(look);
    const dialog = await open(owner, await owner.enter());
    await dialog.getByLabel(owner.words.hooks.url).fill(peer.url(`/${look.phone}`));
    await dialog.getByRole('button', { name: owner.words.hooks.add }).click();
    await expect(dialog.getByRole('textbox', { name: owner.words.hooks.secret })).toBeVisible();
    await expectAccessible(owner.page);
  });
}
