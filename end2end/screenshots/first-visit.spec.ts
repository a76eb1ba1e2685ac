// What there is before there is anything.
import { COMMUNITY, OWNER, PASSWORD, ROOM } from '../fixtures/community';
import { expect, test } from '../fixtures/test';
import { PlainPages } from '../pages/plain-pages';
import { circumstances, looks, picture } from './album';

test('before and during set-up', async ({ place, server, guard }) => {
  guard.intend(/status of 4\d\d/);
  const link = await server.setUpLink();
  for (const look of looks) {
    const visitor = await place.visitor(circumstances(look));
    await visitor.page.goto('/');
    await picture(visitor.page, 'not-set-up', look);
    await visitor.page.goto(link);
    await picture(visitor.page, 'set-up', look);
    await visitor.context.close();
  }
  const owner = await place.visitor(circumstances(looks[0]!));
  await owner.page.goto(link);
  await new PlainPages(owner.page, owner.words).setUp({ community: COMMUNITY, name: OWNER, password: PASSWORD, room: ROOM.name });
  await expect(owner.page).toHaveURL(/\/rooms\//);
  await picture(owner.page, 'first-room', looks[0]!);
});
