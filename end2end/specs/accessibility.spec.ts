// Every page, both languages, light and dark: nothing that keeps somebody out.
import { OWNER, ROOM } from '../fixtures/community';
import { expectAccessible } from '../fixtures/a11y';
import { expect, test } from '../fixtures/test';
import { PeoplePage } from '../pages/people-page';
import type { Language } from '../fixtures/words';
import { running } from '../pages/app';

for (const language of ['ko', 'en'] as Language[]) {
  for (const colorScheme of ['light', 'dark'] as const) {
    const look = { language, browser: { colorScheme } };

    test(`pages of a member (${language}, ${colorScheme})`, async ({ community }) => {
      const owner = await community.owner(look);
      const bot = await community.bot(OWNER);
      await bot.post(ROOM.slug, '링크도 봐요 https://example.org/a?b=c and some English');
      await owner.enter();
      await expectAccessible(owner.page);
      await owner.page.getByRole('button', { name: owner.words.newRoom }).click();
      await expect(owner.page.getByRole('dialog')).toBeVisible();
      await expectAccessible(owner.page);
      const people = new PeoplePage(owner.page, owner.words);
      await people.open();
      await people.invite();
      await expectAccessible(owner.page);
      for (const address of ['/', '/rooms', '/settings']) {
        await owner.page.goto(address);
        await running(owner.page);
        await expectAccessible(owner.page);
      }
    });

    test(`pages of a visitor (${language}, ${colorScheme})`, async ({ community, guard }) => {
      guard.intend(/status of 4\d\d/);
      const owner = await community.owner(look);
      const people = new PeoplePage(owner.page, owner.words);
      await people.open();
      const invite = await people.invite();
      const visitor = await community.visitor(look);
      for (const address of ['/sign-in', invite, '/join/no-such-link', '/reset/no-such-link', '/no-such-page']) {
        await visitor.page.goto(address);
        await expect(visitor.page.getByRole('heading', { level: 1 })).toBeVisible();
        await expectAccessible(visitor.page);
      }
    });
  }
}

test('set-up (before the first visit)', async ({ place, server, guard }) => {
  guard.intend(/status of 4\d\d/);
  // Runs on the same server as the stories above, where the link has been used.
  const visitor = await place.visitor();
  await visitor.page.goto(await server.setUpLink());
  await expect(visitor.page.getByRole('heading', { level: 1 })).toBeVisible();
  await expectAccessible(visitor.page);
});

test('a room at 200 % zoom on a phone needs no sideways scrolling', async ({ community }) => {
  const reader = await community.newcomer('Zoom', { browser: { viewport: { width: 320, height: 640 } } });
  const room = await reader.enter();
  await room.say(`Unbreakable${'x'.repeat(300)} https://example.org/${'long'.repeat(60)}`);
  const overflow = await reader.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(overflow).toBe(0);
});
