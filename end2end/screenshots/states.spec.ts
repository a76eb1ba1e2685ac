// What a conversation shows when not all is well: changed, waiting, refused, missing.
import { type Community, OWNER, type Person, ROOM } from '../fixtures/community';
import { lostConnection } from '../fixtures/guard';
import { Socket, answering } from '../fixtures/socket';
import { refuseStorage } from '../fixtures/storage';
import { expect, test } from '../fixtures/test';
import type { RoomPage } from '../pages/room-page';
import { type Look, circumstances, looks, picture } from './album';
import { GARDEN, furnish } from './rooms';

test.use({ flags: ['--no-rate-limit', '--limit', 'catch_up_events=20'] });

const isPhone = (look: Look) => look.viewport.width < 720;

let rooms = 0;

/** A room of this picture alone, with something said in it. */
async function freshRoom(community: Community): Promise<typeof ROOM> {
  await furnish(community);
  const room = await community.room(`meeting-${(rooms += 1)}-${process.pid}`, '토요일 모임');
  await community.server.admin(['room', 'add', room.slug, OWNER]);
  await community.server.admin(['room', 'add', room.slug, '준호']);
  const bot = await community.bot('준호');
  for (const text of ['토요일 모임은 여기서 이야기해요.', '장소는 망원동으로 정해졌어요. 두 시부터예요.']) await bot.post(room.slug, text);
  return room;
}

/** The owner in a room, with a socket that can be cut. */
async function enter(community: Community, look: Look, given?: typeof ROOM): Promise<{ owner: Person; room: RoomPage; socket: Socket }> {
  await furnish(community);
  const room = given ?? (await freshRoom(community));
  const owner = await community.owner(circumstances(look));
  const socket = await Socket.of(owner.page);
  return { owner, room: await owner.enter(room), socket };
}

test.beforeEach(({ guard }) => guard.intend(...lostConnection, /status of 4\d\d/));

test('messages of one’s own that were changed, and are being changed', async ({ community }) => {
  for (const look of looks) {
    const { owner, room } = await enter(community, look);
    const texts = ['예약은 내일 넣을게요', '이건 잘못 보낸 메시지예요', '예약 번호는 A-1042, 이름은 민아예요'];
    for (const text of texts) await room.say(text);
    await room.edit(texts[0]!);
    await room.write('예약은 오늘 넣었어요. 확정되면 알려 드릴게요.');
    await expect(room.message('예약은 오늘').last().getByText(owner.words.edited)).toBeVisible();
    await room.tool(texts[1]!, owner.words.eraseMessage);
    await expect(owner.page.getByRole('dialog')).toBeVisible();
    await picture(owner.page, 'room-erase', look);
    await room.confirmErasing();
    await room.edit(texts[2]!);
    await picture(owner.page, 'room-editing', look);
    await room.composer.press('Escape');
    const own = room.message(texts[2]!);
    if (isPhone(look)) await own.getByRole('button', { name: owner.words.messageTools }).click();
    else await own.hover();
    await picture(owner.page, 'room-tools', look);
    await owner.context.close();
  }
});

test('what waits for the connection', async ({ community }) => {
  for (const look of looks) {
    const { owner, room, socket } = await enter(community, look);
    for (const text of ['고칠 메시지', '지울 메시지']) await room.say(text);
    await socket.cut();
    await room.edit('고칠 메시지');
    await room.write('지하철에서 고친 메시지');
    await room.erase('지울 메시지');
    await room.write('컵은 서른 개면 될까요?');
    await room.write('Written in the tunnel: I will bring the projector, two extension cords and the long HDMI cable.');
    await expect(room.messages.getByText(owner.words.waiting)).toHaveCount(4);
    await expect(owner.page.getByText(owner.words.reconnecting)).toBeVisible();
    await picture(owner.page, 'room-waiting', look);
    await owner.context.close();
  }
});

test('what the server holds back', async ({ community }) => {
  for (const look of looks) {
    await furnish(community);
    const owner = await community.owner(circumstances(look));
    await answering(owner.page, (command) => command.type === 'post' && { type: 'refused', key: command.key, code: 'rate_limited', retry_after_ms: 40_000 });
    const room = await owner.enter(ROOM);
    await room.write('조금 빠르게 보낸 메시지');
    await room.write('그다음 메시지');
    await expect(room.messages.getByText(owner.words.heldFor).first()).toBeVisible();
    await picture(owner.page, 'room-held', look);
    await owner.context.close();
  }
});

test('changes that were refused', async ({ community }) => {
  for (const look of looks) {
    await furnish(community);
    const owner = await community.owner(circumstances(look));
    await answering(owner.page, (command) => ['edit', 'delete'].includes(command.type) && { type: 'refused', key: command.key, code: 'forbidden' });
    const room = await owner.enter(await freshRoom(community));
    for (const text of ['고치지 못할 메시지', '지우지 못할 메시지']) await room.say(text);
    await room.edit('고치지 못할 메시지');
    await room.write('고치지 못한 메시지');
    await room.erase('지우지 못할 메시지');
    await expect(room.messages.getByText(owner.words.errors.forbidden)).toHaveCount(2);
    await picture(owner.page, 'room-changes-refused', look);
    await owner.context.close();
  }
});

test('what is too old to go by itself', async ({ community }) => {
  for (const look of looks) {
    const { owner, room, socket } = await enter(community, look);
    await socket.cut();
    await room.write('지난주 토요일에 쓴 메시지예요. 오늘 모임 장소가 바뀌었어요.');
    await expect(room.messages.getByText(owner.words.waiting)).toHaveCount(1);
    await owner.page.clock.setSystemTime(Date.now() + 8 * 24 * 60 * 60 * 1_000);
    await socket.mend();
    await owner.page.reload();
    await expect(owner.page.getByText(owner.words.undecided)).toBeVisible();
    await picture(owner.page, 'room-undecided', look);
    await owner.context.close();
  }
});

test('a browser that keeps nothing', async ({ community }) => {
  for (const look of looks) {
    await furnish(community);
    const owner = await community.owner(circumstances(look));
    await refuseStorage(owner.page, 'errs');
    const socket = await Socket.of(owner.page);
    const room = await owner.enter(ROOM);
    await socket.cut();
    await room.write('남겨 둘 수 없는 메시지');
    await expect(owner.page.getByText(owner.words.notKept)).toBeVisible();
    await picture(owner.page, 'room-not-kept', look);
    await owner.context.close();
  }
});

test('rows that are missing', async ({ community, guard }) => {
  guard.intend(/ERR_FAILED/);
  await furnish(community);
  const bot = await community.bot('준호');
  for (const look of looks) {
    const { owner, room, socket } = await enter(community, look, GARDEN);
    await room.conversation.evaluate((log) => (log.scrollTop = -900));
    await socket.cut();
    for (let n = 1; n <= 70; n += 1) await bot.post(GARDEN.slug, `그사이의 기록 ${n}: 물을 한 번 더 줬어요.`);
    await socket.mend();
    await room.live();
    const seam = room.conversation.getByText(owner.words.missing);
    const load = owner.page.getByRole('button', { name: owner.words.loadMissing });
    await expect(seam).toBeAttached();
    await seam.evaluate((row) => row.scrollIntoView({ block: 'center' }));
    await picture(owner.page, 'room-seam', look);
    let answer: () => void = () => undefined;
    const answered = new Promise<void>((done) => (answer = done));
    await owner.page.route(/older_rows/, async (route) => {
      await answered;
      await route.abort();
    });
    await load.click();
    await expect(seam.locator('xpath=..').getByText(owner.words.loading)).toBeVisible();
    await picture(owner.page, 'room-seam-loading', look);
    answer();
    await expect(owner.page.getByText(owner.words.olderFailed)).toBeVisible();
    await picture(owner.page, 'room-seam-failed', look);
    await owner.context.close();
  }
});

test('a page that the server does not want back, and one too many', async ({ community, guard }) => {
  guard.intend(/WebSocket/);
  for (const look of looks) {
    await furnish(community);
    for (const [name, code, reason] of [
      ['room-stopped', 1007, 'not JSON'],
      ['room-crowded', 4429, ''],
    ] as const) {
      const owner = await community.owner(circumstances(look));
      await owner.page.routeWebSocket(/\/live$/, (socket) => socket.close({ code, reason }));
      await owner.page.goto(`/rooms/${ROOM.slug}`);
      await expect(owner.page.getByText(name === 'room-stopped' ? owner.words.stopped : owner.words.crowded)).toBeVisible();
      await picture(owner.page, name, look);
      await owner.context.close();
    }
  }
});

test('a room that can be seen no more, with something unsaid', async ({ community }) => {
  await furnish(community);
  await community.room('attic', '다락방', ['--closed']);
  await community.account('다락지기', ['attic']);
  for (const look of looks) {
    await community.server.admin(['room', 'add', 'attic', OWNER]);
    const { owner, room, socket } = await enter(community, look, { slug: 'attic', name: '다락방' });
    await socket.cut();
    await room.write('다락방에서 못다 한 말이에요.');
    await expect(room.messages.getByText(owner.words.waiting)).toHaveCount(1);
    const elsewhere = await community.again(OWNER);
    const about = (await elsewhere.enter({ slug: 'attic', name: '다락방' })).about;
    await about.getByRole('button', { name: elsewhere.words.leaveRoom }).click();
    await elsewhere.page.getByRole('dialog').getByRole('button', { name: elsewhere.words.leaveRoom }).click();
    await expect(elsewhere.page).toHaveURL(/\/rooms$/);
    await elsewhere.context.close();
    await socket.mend();
    await expect(owner.page.getByText(owner.words.revokedTitle)).toBeVisible();
    await expect(owner.page.getByText('다락방에서 못다 한 말이에요.')).toBeVisible();
    await picture(owner.page, 'room-revoked', look);
    await owner.context.close();
  }
});
