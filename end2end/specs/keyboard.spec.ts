// A whole visit without a mouse.
import { type Locator, type Page } from '@playwright/test';
import { OWNER, PASSWORD, ROOM } from '../fixtures/community';
import { expect, test } from '../fixtures/test';
import { running } from '../pages/app';
import { RoomPage } from '../pages/room-page';
import { Sidebar } from '../pages/sidebar';

/** Presses Tab until the element has the focus, and sees that it shows. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  for (let press = 0; press < 60; press += 1) {
    await page.keyboard.press('Tab');
    if (await target.evaluate((element) => element === document.activeElement)) {
      // The ring may be drawn by what encloses a field.
      const ringed = await target.evaluate((element) => {
        const shown = [element, element.closest(':focus-within:not(:focus)')].filter((drawn) => drawn !== null);
        const look = () => shown.map((drawn) => getComputedStyle(drawn)).map((style) => `${style.outline} ${style.boxShadow} ${style.borderColor}`).join();
        const focused = look();
        (element as HTMLElement).blur();
        const plain = look();
        (element as HTMLElement).focus();
        return focused !== plain;
      });
      expect(ringed, 'the focused element has a visible ring').toBe(true);
      return;
    }
  }
  throw new Error(`Tab never reached ${target}`);
}

test('sign in, open a room, write, and find the way back, by keyboard', async ({ community }) => {
  await community.room('quiet', 'Quiet corner');
  const person = await community.visitor();
  const { page, words } = person;
  await community.account('Keys', [ROOM.slug, 'quiet']);

  await page.goto('/sign-in');
  await tabTo(page, page.getByLabel(words.name, { exact: true }));
  await page.keyboard.type('Keys');
  await tabTo(page, page.getByLabel(words.password, { exact: true }));
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/rooms/);

  await page.goto('/people');
  await running(page);
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: words.skipToContent })).toBeFocused();
  await tabTo(page, new Sidebar(page, words).room('Quiet corner'));
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: 'Quiet corner' })).toBeVisible();
  const quiet = new RoomPage(page, words, 'Quiet corner');
  await tabTo(page, quiet.composer);
  await page.keyboard.type('without a mouse');
  await page.keyboard.press('Enter');
  await quiet.sees('without a mouse');
  await expect(quiet.composer).toBeFocused();
  await page.goBack();
  await expect(page.getByRole('heading', { level: 1, name: words.peopleTitle })).toBeVisible();
});

test('a dialog takes the focus, closes with Escape and gives it back', async ({ community }) => {
  const owner = await community.again(OWNER);
  await owner.enter();
  const opener = owner.page.getByRole('button', { name: owner.words.newRoom });
  await tabTo(owner.page, opener);
  await owner.page.keyboard.press('Enter');
  const dialog = owner.page.getByRole('dialog');
  await expect(dialog).toBeVisible();
  await expect(dialog.getByLabel(owner.words.roomName)).toBeFocused();
  await owner.page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await expect(opener).toBeFocused();
});
