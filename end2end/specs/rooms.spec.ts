// Making, renaming, leaving rooms; who is in them.
import { OWNER, ROOM } from '../fixtures/community';
import { refusedWith } from '../fixtures/guard';
import { expect, test } from '../fixtures/test';
import { PlainPages } from '../pages/plain-pages';
import { RoomPage } from '../pages/room-page';
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

const phone = { browser: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } };

test('whoever leaves a closed room is not told that it was closed', async ({ community }) => {
  const attic = await community.room('attic', 'Attic', ['--closed']);
  await community.account('Stays', [attic.slug]);
  const leaver = await community.newcomer('Leaves', { member: [ROOM.slug, attic.slug] });
  const room = await leaver.enter(attic);
  const sidebar = new Sidebar(leaver.page, leaver.words);
  // The socket tells of the end before the answer is there.
  await leaver.page.route(/leave_room/, async (route) => {
    const response = await route.fetch();
    await expect(sidebar.room('Attic')).toHaveCount(0);
    await route.fulfill({ response });
  });
  await leaver.page.evaluate((title) => {
    const seen: string[] = [];
    Object.assign(window, { seen });
    new MutationObserver(() => document.body.innerText.includes(title) && seen.push(title)).observe(document.body, { childList: true, subtree: true });
  }, leaver.words.revokedTitle);
  await room.about.getByRole('button', { name: leaver.words.leaveRoom }).click();
  await leaver.page.getByRole('dialog').getByRole('button', { name: leaver.words.leaveRoom }).click();
  await expect(leaver.page).toHaveURL(/\/rooms$/);
  await expect(sidebar.room('Attic')).toHaveCount(0);
  expect(await leaver.page.evaluate(() => (window as unknown as { seen: string[] }).seen)).toEqual([]);
});

test('an open room that was left can be joined again', async ({ community }) => {
  const terrace = await community.room('terrace', 'Terrace');
  await community.account('Gardener', [terrace.slug]);
  const leaver = await community.newcomer('Comes and goes', { member: [terrace.slug] });
  const room = await leaver.enter(terrace);
  await room.about.getByRole('button', { name: leaver.words.leaveRoom }).click();
  await leaver.page.getByRole('dialog').getByRole('button', { name: leaver.words.leaveRoom }).click();
  await expect(leaver.page).toHaveURL(/\/rooms$/);
  await new Sidebar(leaver.page, leaver.words).room('Terrace').click();
  await expect(leaver.page.getByText(leaver.words.notMember)).toBeVisible();
  await leaver.page.getByRole('button', { name: leaver.words.join, exact: true }).click();
  await expect(leaver.page.getByText(leaver.words.notMember)).toBeHidden();
  await room.say('back again');
});

test('an address with an open drawer leaves a wide page usable', async ({ community }) => {
  for (const drawer of ['rooms', 'about']) {
    const person = await community.again(OWNER, { browser: { viewport: { width: 1440, height: 900 } } });
    await person.page.goto(`/rooms/${ROOM.slug}#${drawer}`);
    const room = new RoomPage(person.page, person.words, ROOM.name);
    await room.live();
    await expect(person.page.getByRole('dialog')).toHaveCount(0);
    await room.say(`written at #${drawer}`);
  }
});

test('a drawer that the page came with closes and stays in the app', async ({ community }) => {
  const person = await community.again(OWNER, phone);
  await person.page.goto(`/rooms/${ROOM.slug}#rooms`);
  const room = new RoomPage(person.page, person.words, ROOM.name);
  await room.live();
  const drawer = person.page.getByRole('dialog');
  await expect(drawer).toBeVisible();
  await drawer.getByRole('button', { name: person.words.close, exact: true }).click();
  await expect(drawer).toHaveCount(0);
  await expect(person.page).toHaveURL(new RegExp(`/rooms/${ROOM.slug}$`));
  await room.composer.fill('still in the app');
  await room.send.click();
  await room.sees('still in the app');
  await test.step('and one that was opened here closes once', async () => {
    await person.page.getByRole('link', { name: person.words.showRooms }).click();
    await expect(drawer).toBeVisible();
    await person.page.evaluate(() => {
      for (let press = 0; press < 3; press += 1) window.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }));
    });
    await expect(drawer).toHaveCount(0);
    await expect(person.page).toHaveURL(new RegExp(`/rooms/${ROOM.slug}$`));
  });
});

test('turning a phone over closes a drawer for which there is a column', async ({ community }) => {
  const person = await community.again(OWNER, { browser: { viewport: { width: 600, height: 900 } } });
  const room = await person.enter();
  await person.page.getByRole('link', { name: person.words.showRooms }).click();
  await expect(person.page.getByRole('dialog')).toBeVisible();
  await person.page.setViewportSize({ width: 900, height: 600 });
  await expect(person.page.getByRole('dialog')).toHaveCount(0);
  await room.say('written on the side');
});

test('a room made from the drawer takes its place in the history', async ({ community }) => {
  const person = await community.again(OWNER, phone);
  await person.enter();
  await person.page.getByRole('link', { name: person.words.showRooms }).click();
  await person.page.getByRole('button', { name: person.words.newRoom }).click();
  const dialog = person.page.locator('dialog[open]');
  await dialog.getByLabel(person.words.roomName).fill('From the drawer');
  await dialog.getByRole('button', { name: person.words.createRoom, exact: true }).click();
  await expect(person.page.getByRole('heading', { level: 1, name: 'From the drawer' })).toBeVisible();
  await person.page.goBack();
  await expect(person.page.getByRole('heading', { level: 1, name: ROOM.name })).toBeVisible();
  await expect(person.page.getByRole('dialog')).toHaveCount(0);
});

test('names that cannot be are answered where they are typed', async ({ community, guard }) => {
  guard.intend(/status of 4\d\d/);
  const owner = await community.owner();
  const { page, words } = owner;
  const mine = await community.room('to-be-named', 'To be named');
  const room = await owner.enter(mine);
  const dialog = page.locator('dialog[open]');
  const wrong = [
    ['   ', words.errors.nameEmpty],
    ['n'.repeat(200), words.errors.nameTooLong],
    ['a bell \u0007', words.errors.controlCharacter],
  ] as const;
  const tryAll = async (submit: string) => {
    for (const [name, answer] of wrong) {
      await dialog.getByLabel(words.roomName).fill(name);
      await dialog.getByRole('button', { name: submit, exact: true }).click();
      await expect(dialog.getByRole('alert')).toContainText(answer);
    }
  };
  await test.step('making a room', async () => {
    await page.getByRole('button', { name: words.newRoom }).click();
    await tryAll(words.createRoom);
    await dialog.getByRole('button', { name: words.close, exact: true }).click();
  });
  await test.step('renaming one', async () => {
    await room.about.getByRole('button', { name: words.rename }).click();
    await tryAll(words.save);
    await dialog.getByRole('button', { name: words.close, exact: true }).click();
  });
  await expect(room.heading).toBeVisible();
});
