// Sessions end where and when they should.
import { OWNER, PASSWORD, ROOM } from '../fixtures/community';
import { refusedWith } from '../fixtures/guard';
import { expect, test } from '../fixtures/test';
import { PlainPages } from '../pages/plain-pages';
import { RoomPage } from '../pages/room-page';
import { running } from '../pages/app';

test.use({ flags: ['--limit', 'sign_in_burst=10'] });

test('signing out in one tab ends the other', async ({ community, guard }) => {
  guard.intend(refusedWith(401));
  const person = await community.newcomer('Noor');
  await person.enter();
  const other = await person.anotherTab();
  await other.goto('/settings');
  await running(other);
  await other.getByRole('button', { name: person.words.signOut }).click();
  await expect(other).toHaveURL(/\/sign-in/);
  await expect(person.page).toHaveURL(/\/sign-in/);
  await person.page.goto(`/rooms/${ROOM.slug}`);
  await expect(person.page).toHaveURL(/\/sign-in/);
});

test('signing out here leaves another device signed in', async ({ community }) => {
  const phone = await community.newcomer('Ines');
  const laptop = await community.again('Ines');
  const room = await laptop.enter();
  await phone.page.goto('/settings');
  await phone.page.getByRole('button', { name: phone.words.signOut }).click();
  await expect(phone.page).toHaveURL(/\/sign-in/);
  await room.say('still here');
});

test('after signing in one is where one wanted to go', async ({ community }) => {
  await community.account('Lena');
  const visitor = await community.visitor();
  await visitor.page.goto(`/rooms/${ROOM.slug}`);
  await expect(visitor.page).toHaveURL(/\/sign-in/);
  await new PlainPages(visitor.page, visitor.words).signIn('Lena', PASSWORD);
  await expect(visitor.page).toHaveURL(`/rooms/${ROOM.slug}`);
  await new RoomPage(visitor.page, visitor.words, ROOM.name).live();
});

test('a wrong password is answered, and the name is kept', async ({ community, guard }) => {
  guard.intend(refusedWith(401), refusedWith(403), refusedWith(422));
  const visitor = await community.visitor({ language: 'ko' });
  await visitor.page.goto('/sign-in');
  const form = new PlainPages(visitor.page, visitor.words);
  await form.signIn(OWNER, 'not the password');
  await expect(form.refusal).toContainText(visitor.words.errors.wrongCredentials);
  await expect(visitor.page.getByLabel(visitor.words.name, { exact: true })).toHaveValue(OWNER);
  await expect(visitor.page.getByLabel(visitor.words.password, { exact: true })).toHaveValue('');
});

test('guessing passwords is slowed down', async ({ community, guard }) => {
  guard.intend(refusedWith(401), refusedWith(403), refusedWith(422), refusedWith(429));
  await community.account('Target', []);
  const visitor = await community.visitor();
  const headers = { origin: community.server.url };
  const statuses = new Set<number>();
  for (let guess = 0; guess < 12; guess += 1) {
    const form = { name: 'Target', password: `guess number ${guess}` };
    const answer = await visitor.context.request.post('/sign-in', { form, headers, maxRedirects: 0 });
    statuses.add(answer.status());
  }
  expect([...statuses]).toContain(429);
  await visitor.page.goto('/sign-in');
  const form = new PlainPages(visitor.page, visitor.words);
  await form.signIn('Target', PASSWORD);
  await expect(form.refusal).toContainText(visitor.words.errors.rateLimited);
});
