// What there is before anybody is there. No story of this file uses the link.
import { expectAccessible } from '../fixtures/a11y';
import { looks } from '../fixtures/looks';
import { expect, test } from '../fixtures/test';
import { PlainPages } from '../pages/plain-pages';

for (const look of looks) {
  test(`set-up keeps nobody out (${look.name})`, async ({ place, server }) => {
    const visitor = await place.visitor(look);
    const page = new PlainPages(visitor.page, visitor.words);
    await visitor.page.goto('/');
    await expect(page.heading(visitor.words.notSetUpTitle)).toBeVisible();
    await expectAccessible(visitor.page);
    await visitor.page.goto(await server.setUpLink());
    await expect(page.heading(visitor.words.setUpTitle)).toBeVisible();
    await expectAccessible(visitor.page);
  });
}

test('a set-up form that is refused keeps what was typed', async ({ place, server, guard }) => {
  guard.intend(/status of 4\d\d/);
  const visitor = await place.visitor();
  await visitor.page.goto(await server.setUpLink());
  const form = new PlainPages(visitor.page, visitor.words);
  await form.setUp({ community: 'Bakers', name: 'x'.repeat(41), password: 'correct horse battery', room: 'Oven' });
  await expect(form.refusal).toContainText(visitor.words.errors.nameTooLong);
  await expect(visitor.page.getByLabel(visitor.words.community)).toHaveValue('Bakers');
  await expectAccessible(visitor.page);
});
