// Who is here and who is typing, as people see it.
import { ROOM } from '../fixtures/community';
import { lostConnection } from '../fixtures/guard';
import { expect, test } from '../fixtures/test';
import { circumstances, looks, nameOf, picture } from './album';
import { furnish } from './rooms';

test.use({ flags: ['--no-rate-limit', '--limit', 'typing_shown_ms=60000'] });

for (const look of looks) {
  test(`company at ${nameOf(look)}`, async ({ community, guard }) => {
    guard.intend(...lostConnection);
    await furnish(community);
    const owner = await community.owner(circumstances(look));
    await owner.enter(ROOM);
    const name = `하린 ${looks.indexOf(look) + 1}`;
    const other = await community.newcomer(name, { language: 'ko' });
    const there = await other.enter(ROOM);
    await there.composer.pressSequentially('그럼');
    await expect(owner.page.getByText(owner.words.typing(name))).toBeVisible();
    await expect(owner.page.getByText(owner.words.openAndHere(2), { exact: true })).toBeVisible();
    await picture(owner.page, 'room-company', look);
    await owner.context.close();
    await other.context.close();
  });
}
