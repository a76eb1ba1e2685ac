// Making, renaming, leaving rooms; who is in them.
import { OWNER, ROOM } from '../fixtures/community';
import { refusedWith } from '../fixtures/guard';
import { expect, test } from '../fixtures/test';
import { PlainPages } from '../pages/plain-pages';
import { Sidebar } from '../pages/sidebar';

test('a new room appears for everyone at once, a closed one only for its members', async ({ community }) => {
  const owner = await community.owner();
  const other = await community.newcomer('Ravi');
  await other.enter();
  await owner.enter();
  await new Sidebar(owner.page, owner.words).createRoom('점심 뭐 먹지', 'open');
  await expect(new Sidebar(other.page, other.words).room('점심 뭐 먹지')).toBeVisible();
  await new Sidebar(owner.page, owner.words).createRoom('Board', 'closed');
  await expect(owner.page).toHaveURL(/\/rooms\/board$/);
  await new Sidebar(owner.page, owner.words).createRoom('After the board', 'open');
  await expect(new Sidebar(other.page, other.words).room('After the board')).toBeVisible();
  await expect(new Sidebar(other.page, other.words).room('Board')).toHaveCount(0);
});

test('a member added to a closed room finds it and reads all of it', async ({ community }) => {
  const plans = await community.room('plans', 'Plans', ['--closed']);
  await community.account('Planner', [ROOM.slug, 'plans']);
  const planner = await community.again('Planner');
  const added = await community.newcomer('Addie');
  const there = await added.enter();
  const here = await planner.enter(plans);
  await here.say('the plan so far');
  await here.about.getByRole('button', { name: planner.words.addPeople }).click();
  await planner.page.getByRole('dialog').getByRole('button', { name: `${planner.words.add} Addie` }).click();
  await new Sidebar(added.page, added.words).room('Plans').click();
  await expect(there.page.getByRole('log').getByText('the plan so far')).toBeVisible();
});

test('a rename reaches everyone who looks at the room', async ({ community }) => {
  const room = await community.room('draft', 'Draft');
  const owner = await community.owner();
  const reader = await community.newcomer('Reader');
  await reader.enter(room);
  const here = await owner.enter(room);
  await here.about.getByRole('button', { name: owner.words.rename }).click();
  const dialog = owner.page.getByRole('dialog');
  await dialog.getByLabel(owner.words.roomName).fill('Final');
  await dialog.getByRole('button', { name: owner.words.save }).click();
  for (const person of [owner, reader]) {
    await expect(person.page.getByRole('heading', { level: 1, name: 'Final' })).toBeVisible();
    await expect(new Sidebar(person.page, person.words).room('Final')).toBeVisible();
  }
});

test('a lost password is reset by a link that works once', async ({ community, server, guard }) => {
  guard.intend(refusedWith(404), refusedWith(410));
  await community.account('Forgetful');
  const link = (await server.admin(['user', 'reset', 'Forgetful'])).match(/https?:\/\/\S+/)![0];
  const path = new URL(link).pathname;
  const person = await community.visitor();
  await person.page.goto(path);
  const form = new PlainPages(person.page, person.words);
  await expect(form.heading(person.words.resetTitle)).toBeVisible();
  await form.resetPassword('another good one');
  await expect(person.page).toHaveURL(/\/(rooms.*)?$/);
  const late = await community.visitor();
  await late.page.goto(path);
  await expect(new PlainPages(late.page, late.words).heading(late.words.expiredTitle)).toBeVisible();
  await late.page.goto('/sign-in');
  await new PlainPages(late.page, late.words).signIn('Forgetful', 'another good one');
  await expect(late.page).toHaveURL(/\/rooms/);
});

test('on a phone the list is a drawer and the back button works', async ({ community }) => {
  await community.room('pocket', 'Pocket');
  const person = await community.again(OWNER, { browser: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } });
  await person.enter();
  const sidebar = new Sidebar(person.page, person.words);
  await expect(sidebar.room('Pocket')).toBeHidden();
  await person.page.getByRole('link', { name: person.words.showRooms }).click();
  await sidebar.room('Pocket').click();
  await expect(person.page.getByRole('heading', { level: 1, name: 'Pocket' })).toBeVisible();
  await person.page.goBack();
  await expect(person.page.getByRole('heading', { level: 1, name: ROOM.name })).toBeVisible();
});
