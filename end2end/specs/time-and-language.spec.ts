// Times in the reader's zone, words in the reader's language.
import { OWNER, ROOM } from '../fixtures/community';
import { expect, test } from '../fixtures/test';
import { RoomPage } from '../pages/room-page';
import { words } from '../fixtures/words';
import { running } from '../pages/app';

test('each reader sees the hour of their own clock', async ({ community }) => {
  const bot = await community.bot(OWNER);
  await bot.post(ROOM.slug, 'what time is it?');
  for (const [timezoneId, language] of [
    ['Asia/Seoul', 'ko'],
    ['Asia/Seoul', 'en'],
    ['America/New_York', 'en'],
    ['America/New_York', 'ko'],
    ['Asia/Kathmandu', 'en'],
  ] as const) {
    const reader = await community.again(OWNER, { language, browser: { timezoneId } });
    const room = await reader.enter();
    const time = room.message('what time is it?').first().locator('time').first();
    const at = new Date((await time.getAttribute('datetime'))!);
    const clock = new Intl.DateTimeFormat('en-GB', { timeZone: timezoneId, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at);
    const [hour, minute] = clock.split(':').map(Number) as [number, number];
    const short = `${((hour + 11) % 12) + 1}:${String(minute).padStart(2, '0')}`;
    const expected = language === 'en' ? `${short} ${hour < 12 ? 'AM' : 'PM'}` : `${hour < 12 ? '오전' : '오후'} ${short}`;
    await expect(time).toHaveText(expected);

    await test.step('and from the second visit on the server words it so too', async () => {
      await reader.page.reload({ waitUntil: 'commit' });
      const headers = { 'accept-language': language };
      const html = await (await reader.context.request.get(`/rooms/${ROOM.slug}`, { headers })).text();
      expect(html).toContain(expected);
      await room.live();
    });
  }
});

test('the language follows the browser, then the setting', async ({ community }) => {
  const person = await community.newcomer('이중', { language: 'ko' });
  await person.page.goto('/settings');
  await expect(person.page.locator('html')).toHaveAttribute('lang', 'ko');
  await running(person.page);
  await expect(person.page.getByRole('heading', { level: 1, name: words.ko.settingsTitle })).toBeVisible();

  await person.page.getByRole('radio', { name: words.ko.followBrowser }).press('ArrowDown');
  await expect(person.page.getByRole('radio', { name: '한국어' })).toBeChecked();
  await expect(person.page.getByText(words.ko.languageText), 'choosing alone changes nothing').toBeVisible();
  await person.page.getByRole('radio', { name: 'English' }).check();
  await person.page.getByRole('button', { name: words.ko.save }).click();
  await expect(person.page.getByRole('heading', { level: 1, name: words.en.settingsTitle })).toBeVisible();
  await expect(person.page.locator('html')).toHaveAttribute('lang', 'en');

  await test.step('and the account remembers it on another device', async () => {
    const other = await community.again('이중', { language: 'ko' });
    await other.page.goto(`/rooms/${ROOM.slug}`);
    await new RoomPage(other.page, words.en, ROOM.name).live();
  });

  await test.step('until it follows the browser again', async () => {
    await person.page.getByRole('radio', { name: words.en.followBrowser }).check();
    await person.page.getByRole('button', { name: words.en.save }).click();
    await expect(person.page.getByRole('heading', { level: 1, name: words.ko.settingsTitle })).toBeVisible();
  });
});

test('changing the password signs out the other devices', async ({ community, guard }) => {
  guard.intend(/status of 40[13]/);
  const laptop = await community.newcomer('Careful');
  const phone = await community.again('Careful');
  await phone.enter();
  await laptop.page.goto('/settings');
  await running(laptop.page);
  await laptop.page.getByLabel(laptop.words.currentPassword).fill('correct horse battery');
  await laptop.page.getByLabel(laptop.words.newPassword).fill('a better password');
  await laptop.page.getByRole('button', { name: laptop.words.changePassword }).click();
  await expect(laptop.page.getByText(laptop.words.passwordChanged)).toBeVisible();
  await expect(phone.page).toHaveURL(/\/sign-in/);
  await laptop.enter();
});
