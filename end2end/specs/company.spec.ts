// Who else is in the room, and who is typing.
import { OWNER } from '../fixtures/community';
import { expect, test } from '../fixtures/test';

test.use({ flags: ['--limit', 'typing_every_ms=500', '--limit', 'typing_shown_ms=1500', '--limit', 'presence_grace_ms=500'] });

test('one types, the other sees it, and it goes away', async ({ community }) => {
  const owner = await community.owner();
  const here = await owner.enter();
  const second = await community.newcomer('준호', { language: 'ko' });
  const there = await second.enter();
  const typing = here.page.getByText(owner.words.typing('준호'));
  const before = await here.composer.boundingBox();

  await test.step('while there is text, and nothing moves', async () => {
    await there.composer.pressSequentially('안녕');
    await expect(typing).toBeVisible();
    await expect(there.page.getByText(second.words.typing('준호'))).toHaveCount(0);
    expect(await here.composer.boundingBox()).toEqual(before);
  });

  await test.step('not any more when it is sent', async () => {
    await there.composer.press('Enter');
    await here.sees('안녕');
    await expect(typing).toHaveCount(0);
  });

  await test.step('in the language of whoever reads it', async () => {
    await here.composer.pressSequentially('Hello');
    await expect(there.page.getByText(second.words.typing(OWNER))).toBeVisible();
  });

  await test.step('not for long when nothing more comes', async () => {
    await expect(there.page.getByText(second.words.typing(OWNER))).toHaveCount(0);
  });
});

test('everybody sees who is here, and who is not any more', async ({ community }) => {
  const owner = await community.owner();
  const here = await owner.enter();
  await expect(here.page.getByText(owner.words.openAndHere(1), { exact: true })).toBeVisible();
  const second = await community.newcomer('서연', { language: 'ko' });
  const member = here.about.getByRole('listitem').filter({ hasText: '서연' });
  await expect(member.getByText(owner.words.here)).toBeHidden();

  const there = await second.enter();
  await expect(here.page.getByText(owner.words.openAndHere(2), { exact: true })).toBeVisible();
  await expect(there.page.getByText(second.words.openAndHere(2), { exact: true })).toBeVisible();
  await expect(member.getByText(owner.words.here)).toBeVisible();

  await test.step('a reload is no leaving', async () => {
    await second.page.reload();
    await there.live();
    await expect(there.page.getByText(second.words.openAndHere(2), { exact: true })).toBeVisible();
  });

  await second.page.close();
  await expect(here.page.getByText(owner.words.openAndHere(1), { exact: true })).toBeVisible();
  await expect(member.getByText(owner.words.here)).toBeHidden();
});
