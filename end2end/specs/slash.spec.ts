// Commands in the composer, and what is said later.
import { expectAccessible } from '../fixtures/a11y';
import { refusedWith } from '../fixtures/guard';
import { expect, test } from '../fixtures/test';
import type { RoomPage } from '../pages/room-page';

const options = (room: RoomPage) => room.page.getByRole('listbox', { name: room.words.slash.commands }).getByRole('option');

test('commands are chosen with the keyboard, in either language', async ({ community }) => {
  const owner = await community.owner();
  const room = await owner.enter();
  await room.composer.pressSequentially('/');
  await expect(options(room)).toHaveCount(3);
  await expect(room.composer).toHaveAttribute('aria-activedescendant', 'command-0');
  await expectAccessible(owner.page);
  await room.composer.press('ArrowUp');
  await expect(options(room).last()).toHaveAttribute('aria-selected', 'true');
  await room.composer.press('ArrowDown');
  await room.composer.press('Tab');
  await expect(room.composer).toHaveValue('/remind ');
  await expect(options(room)).toHaveCount(0);
  await expect(room.page.getByText(owner.words.slash.usage)).toBeVisible();

  // Escape closes it, and it stays closed.
  await room.composer.fill('');
  await room.composer.pressSequentially('/d');
  await expect(options(room)).toHaveCount(1);
  await room.composer.press('Escape');
  await expect(options(room)).toHaveCount(0);
  await room.composer.pressSequentially('e');
  await expect(options(room)).toHaveCount(0);

  await room.composer.fill('');
  await room.composer.fill('/데');
  await options(room).click();
  await expect(room.composer).toHaveValue('/demo');
  await room.composer.press('Enter');
  await expect(room.composer).toHaveValue('');
  await expect(room.conversation.getByText(owner.words.tasks.startedBy(owner.name))).toBeVisible();
  await expect(room.messages.filter({ hasText: '/demo' })).toHaveCount(0);
});

test('what one may not do is not offered, and refused', async ({ community, guard }) => {
  guard.intend(refusedWith(403));
  const member = await community.newcomer('Plain Member');
  const room = await member.enter();
  await room.composer.pressSequentially('/');
  await expect(options(room)).toHaveCount(2);
  await room.composer.fill('/demo');
  await room.composer.press('Enter');
  await expect(room.page.getByText(member.words.errors.forbidden)).toBeVisible();
  await expect(room.composer).toHaveValue('/demo');
});

test('what only looks like a command is not said by accident', async ({ community }) => {
  const writer = await community.newcomer('Path Finder');
  const room = await writer.enter();
  await room.composer.fill('/tableflip');
  await room.composer.press('Enter');
  await expect(room.page.getByText(writer.words.slash.unknown)).toBeVisible();
  await expect(room.messages.filter({ hasText: '/tableflip' })).toHaveCount(0);
  await room.page.getByRole('button', { name: writer.words.slash.asText }).click();
  await room.sees('/tableflip');
  await room.write('//demo');
  await room.sees('/demo');
  await room.write('/usr/bin/env');
  await room.sees('/usr/bin/env');
});

test('a reminder is said once, by whoever asked for it', async ({ community }) => {
  const writer = await community.newcomer('Forgetful');
  const reader = await community.newcomer('Patient');
  const there = await reader.enter();
  const room = await writer.enter();
  const at = (await room.page.evaluate(() => Date.now())) + 3_000;
  // A minute is the least that one can write: the clock is put forward by what is sent.
  await room.page.route('**/api/schedule_message*', async (route) => {
    const sent = route.request().postDataJSON();
    await route.continue({ postData: JSON.stringify({ ...sent, when: { ...sent.when, at } }) });
  });
  await room.composer.fill('/알림 1분 뒤 물 주기');
  await expect(room.page.getByText(writer.words.later.planned)).toBeVisible();
  await room.composer.press('Enter');
  await expect(room.page.getByText(writer.words.later.scheduled)).toBeVisible();
  await expect(room.composer).toHaveValue('');
  await expect(there.message('⏰ 물 주기')).toBeVisible({ timeout: 15_000 });
  await expect(there.message('⏰ 물 주기')).toContainText('Forgetful');
  await there.sees('⏰ 물 주기');
});

test('a message is sent later, again and again, until it is cancelled', async ({ community }) => {
  const writer = await community.newcomer('Planner');
  const room = await writer.enter();
  const { page, words } = writer;
  const dialog = page.getByRole('dialog');
  await room.composer.fill('standup in the kitchen');
  await page.getByRole('button', { name: words.later.open }).click();
  await dialog.getByLabel(words.later.time).fill('18:30');
  await dialog.getByLabel(words.later.repeat).selectOption({ label: words.later.workdays });
  await expectAccessible(page);
  await dialog.getByRole('button', { name: words.later.schedule }).click();
  await expect(dialog).toBeHidden();
  await expect(room.composer).toHaveValue('');
  await expect(page.getByText(words.later.scheduled)).toBeVisible();
  await expect(room.message('standup in the kitchen')).toHaveCount(0);

  await page.getByRole('button', { name: words.later.open }).click();
  const line = dialog.getByRole('listitem').filter({ hasText: 'standup in the kitchen' });
  await expect(line).toContainText(words.later.workdays);
  await expect(line).toContainText('6:30');
  await expectAccessible(page);
  await line.getByRole('button', { name: words.later.cancel }).click();
  await expect(line).toHaveCount(0);
  await expect(dialog.getByText(words.later.none)).toBeVisible();
});
