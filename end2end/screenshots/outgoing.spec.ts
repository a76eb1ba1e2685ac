// What comes from and goes to other servers: previews of links, and the page of webhooks.
import { OWNER, ROOM } from '../fixtures/community';
import { refusedWith } from '../fixtures/guard';
import { Peer } from '../fixtures/peer';
import { expect, test } from '../fixtures/test';
import { circumstances, looks, picture } from './album';
import { furnish } from './rooms';

test.use({ flags: ['--no-rate-limit', '--preview-allow', '127.0.0.1/32', '--outgoing-allow', '127.0.0.1/32'] });

const PAGES: Record<string, string> = {
  '/kitchen': `<title>망원 공유 주방 — 12명까지, 토요일 오후 예약 받아요</title><meta property="og:site_name" content="망원동 가게들">
    <meta name="description" content="햇볕이 드는 2층 주방이에요. 오븐 하나, 화구 네 개, 열두 명이 앉는 식탁이 있어요. 마치고 나서 설거지와 쓰레기 정리를 부탁드려요. 주차는 어려워요.">`,
  '/slides': `<title>How to run a ten minute talk: a very long title that does not fit into a single line of any preview card</title>
    <meta name="description" content="Short.">`,
  '/bare': '<title>Map</title>',
};

test('what links lead to', async ({ community }) => {
  await furnish(community);
  const peer = await Peer.start(({ path }) => (PAGES[path] ? { status: 200, html: PAGES[path] } : { status: 404 }));
  const room = await community.room('links', '링크 모음');
  for (const name of [OWNER, '준호']) await community.server.admin(['room', 'add', room.slug, name]);
  const bot = await community.bot('준호');
  await bot.post(room.slug, `장소는 여기예요: ${peer.url('/kitchen')}`);
  await bot.post(room.slug, `두 가지 더: ${peer.url('/slides')} 와 ${peer.url('/bare')} 도 봐 주세요`);
  await bot.post(room.slug, `이건 없어진 페이지예요: ${peer.url('/gone')}`);
  for (const look of looks) {
    const owner = await community.owner(circumstances(look));
    const there = await owner.enter(room);
    await expect(there.page.locator('.preview')).toHaveCount(3);
    await picture(owner.page, 'room-previews', look);
    await owner.context.close();
  }
  await peer.stop();
});

test('the webhooks of a room', async ({ community, guard }) => {
  guard.intend(refusedWith(422));
  await furnish(community);
  const peer = await Peer.start(({ path }) => ({ status: path.startsWith('/down') ? 503 : 204 }));
  const bot = await community.bot(OWNER);
  const address = `/rooms/${ROOM.slug}/webhooks`;
  const first = await community.owner();
  for (const url of [peer.url('/hook'), peer.url(`/down/${'a-long-path-'.repeat(8)}`)]) {
    await first.page.goto(address);
    await first.page.getByLabel(first.words.hooks.url).fill(url);
    await first.page.getByRole('button', { name: first.words.hooks.add }).click();
  }
  await first.page.goto(address);
  await first.page.getByRole('button', { name: first.words.hooks.test }).first().click();
  for (const body of ['들리나요?', '네, 들려요.']) await bot.post(ROOM.slug, body);
  await expect.poll(() => peer.received.length).toBeGreaterThanOrEqual(5);
  for (const look of looks) {
    const owner = await community.owner(circumstances(look));
    await owner.page.goto(address);
    await picture(owner.page, 'webhooks', look);
    await owner.page.getByLabel(owner.words.hooks.url).fill('http://10.0.0.1/');
    await owner.page.getByRole('button', { name: owner.words.hooks.add }).click();
    await picture(owner.page, 'webhooks-refused', look);
    await owner.context.close();
  }
  await first.page.goto(address);
  await first.page.getByLabel(first.words.hooks.url).fill(peer.url('/once'));
  await first.page.getByRole('button', { name: first.words.hooks.add }).click();
  await picture(first.page, 'webhooks-made', looks[0]!);
  await peer.stop();
});
