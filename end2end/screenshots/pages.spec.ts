// Every page and state, as people see them.
import { OWNER, type Community, type Person, ROOM } from '../fixtures/community';
import { lostConnection } from '../fixtures/guard';
import { answering } from '../fixtures/socket';
import { expect, test } from '../fixtures/test';
import { PeoplePage } from '../pages/people-page';
import { PlainPages } from '../pages/plain-pages';
import { RoomPage } from '../pages/room-page';
import { type Look, circumstances, looks, nameOf, picture } from './album';
import { EMPTY, GARDEN, LONG, furnish } from './rooms';

test.use({ flags: ['--no-rate-limit'] });

async function plainPages(community: Community, look: Look): Promise<void> {
  const visitor = await community.visitor(circumstances(look));
  const form = new PlainPages(visitor.page, visitor.words);
  await visitor.page.goto('/sign-in');
  await picture(visitor.page, 'sign-in', look);
  await form.signIn(OWNER, 'wrong password');
  await expect(form.refusal).toBeVisible();
  await picture(visitor.page, 'sign-in-refused', look);
  await visitor.page.goto('/join/no-such-link');
  await picture(visitor.page, 'link-expired', look);
}

async function invited(community: Community, owner: Person, look: Look): Promise<void> {
  const page = new PeoplePage(owner.page, owner.words);
  await page.open();
  await picture(owner.page, 'people', look);
  const invite = await page.invite();
  await picture(owner.page, 'people-invite', look);
  const guest = await community.visitor(circumstances(look));
  await guest.page.goto(invite);
  await picture(guest.page, 'join', look);
}

for (const look of looks) {
  test(`pages at ${nameOf(look)}`, async ({ community, guard }) => {
    guard.intend(/status of 4\d\d/, ...lostConnection);
    await furnish(community);
    await plainPages(community, look);

    const owner = await community.owner(circumstances(look));
    await invited(community, owner, look);
    const room = await owner.enter(ROOM);
    await room.sees('10 min is tight but fair.');
    await picture(owner.page, 'room', look);
    await room.composer.fill('여러 줄로 쓰는 중이에요.\n둘째 줄\n셋째 줄 and a little more');
    await picture(owner.page, 'room-writing', look);
    await room.composer.fill('가'.repeat(6_000));
    await picture(owner.page, 'room-too-long', look);
    await room.composer.fill('');

    await owner.enter(GARDEN);
    await new RoomPage(owner.page, owner.words, GARDEN.name).scrollUp();
    await picture(owner.page, 'room-reading', look);
    await owner.enter(LONG);
    await picture(owner.page, 'room-long-words', look);
    const empty = await owner.enter(EMPTY);
    await expect(owner.page.getByText(owner.words.emptyTitle)).toBeVisible();
    await picture(owner.page, 'room-empty', look);
    await owner.context.setOffline(true);
    await empty.write('오프라인에서 쓴 메시지예요');
    await expect(owner.page.getByText(owner.words.offline)).toBeVisible();
    await picture(owner.page, 'room-offline', look);
    await owner.context.close();

    const again = await community.again(OWNER, circumstances(look));
    await again.enter(ROOM);
    if (look.viewport.width < 720) {
      await again.page.getByRole('link', { name: again.words.showRooms }).click();
      await expect(again.page.getByRole('dialog')).toBeVisible();
      await picture(again.page, 'rooms-drawer', look);
      await again.page.goBack();
    }
    if (look.viewport.width < 1100) {
      await again.page.getByRole('link', { name: again.words.aboutRoom }).click();
      await expect(again.page.getByRole('dialog')).toBeVisible();
      await picture(again.page, 'about-drawer', look);
    }
    for (const [address, name] of [['/rooms', 'rooms'], ['/settings', 'settings'], ['/rooms/none', 'not-found']] as const) {
      await again.page.goto(address);
      // On a phone the list of rooms is all that there is at /rooms.
      await expect(again.page.locator('.app[data-live]')).toBeVisible();
      await picture(again.page, name, look);
    }
  });
}

test('a room with a message that was refused', async ({ community }) => {
  await furnish(community);
  for (const look of looks) {
    const owner = await community.owner(circumstances(look));
    await answering(owner.page, (command) => command.type === 'post' && { type: 'refused', key: command.key, code: 'forbidden' });
    const room = await owner.enter(ROOM);
    await room.write('보내지 못한 메시지');
    await expect(room.message('보내지 못한 메시지').getByText(owner.words.notSent)).toBeVisible();
    await picture(owner.page, 'room-not-sent', look);
    await owner.context.close();
  }
});

test('a new room is made', async ({ community }) => {
  await furnish(community);
  for (const look of looks.filter(({ viewport }) => viewport.width > 720)) {
    const owner = await community.owner(circumstances(look));
    await owner.enter(ROOM);
    await owner.page.getByRole('button', { name: owner.words.newRoom }).click();
    await expect(owner.page.getByRole('dialog')).toBeVisible();
    await picture(owner.page, 'new-room', look);
    await owner.context.close();
  }
});
