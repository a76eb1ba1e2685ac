// One's own messages can be changed and erased, with a mouse, a keyboard and a finger.
import { expectAccessible } from '../fixtures/a11y';
import { ROOM } from '../fixtures/community';
import { lostConnection } from '../fixtures/guard';
import { Socket, answering } from '../fixtures/socket';
import { expect, test } from '../fixtures/test';
import { Sidebar } from '../pages/sidebar';

test('an edited message is new for everybody, and says so', async ({ community }) => {
  const writer = await community.newcomer('Editor');
  const reader = await community.newcomer('Reader');
  const room = await writer.enter();
  const there = await reader.enter();
  await room.say('a first thought');
  await there.sees('a first thought');
  await expect(there.message('a first thought').getByRole('button')).toHaveCount(0);
  await room.composer.fill('a draft');
  await room.edit('a first thought');
  await expect(writer.page.getByText(writer.words.editing)).toBeVisible();
  await expectAccessible(writer.page);
  await there.say('said meanwhile');
  await room.write('a second thought');
  await there.sees('a second thought');
  await expect(there.message('a second thought').getByText(reader.words.edited)).toBeVisible();
  await expect(there.message('a first thought')).toHaveCount(0);
  await expect(room.composer, 'the draft is back').toHaveValue('a draft');
  await writer.page.reload();
  await room.sees('a second thought');
});

test('the arrow edits the last message, Escape leaves it, nothing left asks to erase', async ({ community }) => {
  const writer = await community.newcomer('Arrows');
  const room = await writer.enter();
  await room.say('older of two');
  await room.say('newer of two');
  await room.composer.press('ArrowUp');
  await expect(room.composer).toHaveValue('newer of two');
  await room.composer.fill('changed my mind');
  await room.composer.press('Escape');
  await expect(room.composer).toHaveValue('');
  await room.sees('newer of two');

  await room.composer.press('ArrowUp');
  await room.composer.fill('');
  await room.composer.press('Enter');
  await expectAccessible(writer.page);
  await room.confirmErasing();
  await expect(room.message('newer of two')).toHaveCount(0);
  await room.sees(writer.words.erased);
  await expect(room.composer).toBeFocused();

  // The tools are one stop before what belongs to the composer; arrows lead from message to message.
  await room.say('newest of three');
  const tool = (text: string, name: string) => room.message(text).getByRole('button', { name });
  await writer.page.keyboard.press('Shift+Tab');
  await expect(writer.page.getByLabel(writer.words.attach)).toBeFocused();
  await writer.page.keyboard.press('Shift+Tab');
  await expect(tool('newest of three', writer.words.editMessage)).toBeFocused();
  await writer.page.keyboard.press('ArrowUp');
  await expect(tool('older of two', writer.words.editMessage)).toBeFocused();
  await writer.page.keyboard.press('ArrowRight');
  await expect(tool('older of two', writer.words.eraseMessage)).toBeFocused();
  await writer.page.keyboard.press('ArrowLeft');
  await writer.page.keyboard.press('Enter');
  await expect(room.composer).toHaveValue('older of two');
});

test('an erased message is gone for everybody and counts for nobody', async ({ community }) => {
  await community.room('aside', 'Aside');
  const writer = await community.newcomer('Eraser');
  const reader = await community.newcomer('Elsewhere', { member: [ROOM.slug, 'aside'] });
  const away = await reader.enter({ slug: 'aside', name: 'Aside' });
  const room = await writer.enter();
  await room.say('regretted');
  const list = new Sidebar(reader.page, reader.words);
  await list.hasUnread(ROOM.name, 1);
  await room.erase('regretted');
  await expect(room.message('regretted')).toHaveCount(0);
  await expect(room.message(writer.words.erased).last()).toBeVisible();
  await away.say('still here');
  const there = await reader.enter();
  await expect(there.message('regretted')).toHaveCount(0);
  await expect(there.message(reader.words.erased).last()).toBeVisible();
});

test('a message erased elsewhere while it is edited leaves its text', async ({ community }) => {
  const phone = await community.newcomer('Two Devices');
  const laptop = await community.again('Two Devices');
  const here = await phone.enter();
  const there = await laptop.enter();
  await here.say('in two hands');
  await there.sees('in two hands');
  await here.edit('in two hands');
  await here.composer.fill('in one hand');
  await there.erase('in two hands');
  await expect(phone.page.getByText(phone.words.editingGone)).toBeVisible();
  await expect(here.composer).toHaveValue('in one hand');
  await here.composer.press('Enter');
  await there.sees('in one hand');
});

test('a change made without a connection waits, survives a reload and arrives', async ({ community, guard }) => {
  guard.intend(...lostConnection);
  const writer = await community.newcomer('Offline Editor');
  const socket = await Socket.of(writer.page);
  const room = await writer.enter();
  await room.say('to be edited');
  await room.say('to be erased');
  await socket.cut();
  await room.edit('to be edited');
  await room.write('edited in the tunnel');
  await room.erase('to be erased');
  await expect(room.messages.filter({ hasText: writer.words.waiting })).toHaveCount(2);
  await writer.page.reload();
  await room.sees('edited in the tunnel');
  await expect(room.message('to be erased')).toHaveCount(0);
  await socket.mend();
  await room.live();
  const bot = await community.bot('Offline Editor');
  await expect.poll(() => bot.count(ROOM.slug, 'edited in the tunnel')).toBeGreaterThan(0);
  await expect.poll(() => bot.count(ROOM.slug, 'to be erased')).toBe(0);
  await expect(room.messages.filter({ hasText: writer.words.waiting })).toHaveCount(0);
});

test('a text that is taken back is not lost in an edit, nor the edit by it', async ({ community, guard }) => {
  guard.intend(...lostConnection);
  const writer = await community.newcomer('Both At Once');
  const socket = await Socket.of(writer.page);
  const room = await writer.enter();
  await room.say('an older message');
  await room.say('another old message');
  await socket.cut();
  await room.write('a waiting message');
  const waiting = room.message('a waiting message');
  await expect(waiting.getByText(writer.words.waiting)).toBeVisible();
  await room.edit('an older message');
  await room.composer.fill('half a change');
  await waiting.getByRole('button', { name: writer.words.edit, exact: true }).click();
  await expect(room.composer).toHaveValue('half a change\na waiting message');
  await expect(room.composer).toBeFocused();
  await expect(waiting).toHaveCount(0);
  await room.edit('another old message');
  await room.edit('an older message');
  await room.composer.press('Escape');
  await expect(room.composer).toHaveValue('half a change\na waiting message');
});

test('an edit under way comes back after a reload, and the draft after it', async ({ community }) => {
  const writer = await community.newcomer('Polisher');
  const room = await writer.enter();
  await room.say('to be polished');
  await room.composer.fill('a draft beside');
  await room.edit('to be polished');
  await room.composer.fill('half polished');
  await writer.page.reload();
  await expect(writer.page.getByText(writer.words.editing)).toBeVisible();
  await expect(room.composer).toHaveValue('half polished');
  await room.composer.press('Escape');
  await expect(room.composer).toHaveValue('a draft beside');
  await writer.page.reload();
  await room.live();
  await expect(room.composer).toHaveValue('a draft beside');
});

test('a refused edit keeps its text, in its row and in the box', async ({ community }) => {
  const writer = await community.newcomer('Refused Editor');
  let refusing = true;
  await answering(writer.page, (command) => refusing && command.type === 'edit' && { type: 'refused', key: command.key, code: 'forbidden' });
  const room = await writer.enter();
  await room.say('as it was');
  await room.edit('as it was');
  await room.write('as it shall be');
  const row = room.message('as it shall be');
  await expect(row.getByText(writer.words.errors.forbidden)).toBeVisible();
  await row.getByRole('button', { name: writer.words.edit, exact: true }).click();
  await expect(room.composer).toHaveValue('as it shall be');
  await room.sees('as it was');
  await writer.page.reload();
  await expect(writer.page.getByText(writer.words.editing)).toBeVisible();
  await expect(room.composer).toHaveValue('as it shall be');
  refusing = false;
  await room.live();
  await room.composer.press('Enter');
  await room.sees('as it shall be');
  const bot = await community.bot('Refused Editor');
  await expect.poll(() => bot.count(ROOM.slug, 'as it shall be')).toBeGreaterThan(0);
});

test('with a finger a button shows what can be done', async ({ community }) => {
  const person = await community.newcomer('손가락', {
    language: 'ko',
    browser: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
  });
  const room = await person.enter();
  await room.composer.fill('엄지로 쓴 글');
  await room.send.tap();
  await room.sees('엄지로 쓴 글');
  const row = room.message('엄지로 쓴 글');
  await expect(row.getByRole('button', { name: person.words.editMessage })).toBeHidden();
  await row.getByRole('button', { name: person.words.messageTools }).tap();
  await expectAccessible(person.page);
  await row.getByRole('button', { name: person.words.editMessage }).tap();
  await expect(room.composer).toHaveValue('엄지로 쓴 글');
  await room.composer.fill('두 엄지로 쓴 글');
  await room.send.tap();
  await room.sees('두 엄지로 쓴 글');
});
