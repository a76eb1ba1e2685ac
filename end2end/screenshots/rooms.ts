// The rooms of the pictures, with conversations in them.
import { type Community, OWNER, ROOM } from '../fixtures/community';
import { type Line, archive, general, people } from './conversations';

export const GARDEN = { slug: 'garden', name: '텃밭 기록' };
export const EMPTY = { slug: 'new', name: '새로 만든 방' };
export const LONG = { slug: 'long', name: '이름이 아주 긴 방도 있고 the name goes on in English for a while' };

let furnished = '';

/** Rooms with conversations in them, once for each server. */
export async function furnish(community: Community): Promise<void> {
  if (furnished === community.server.url) return;
  furnished = community.server.url;
  const members = [OWNER, ...people];
  for (const name of people) await community.account(name);
  for (const room of [GARDEN, EMPTY, LONG]) await community.room(room.slug, room.name);
  await community.room('board', '운영진', ['--closed']);
  for (const name of members) for (const slug of [GARDEN.slug, LONG.slug, EMPTY.slug]) await community.server.admin(['room', 'add', slug, name]);
  await community.server.admin(['room', 'add', 'board', OWNER]);
  const bots = new Map(await Promise.all(members.map(async (name) => [name, await community.bot(name)] as const)));
  const tell = async (slug: string, lines: Line[]) => {
    for (const [author, body] of lines) await bots.get(author)!.post(slug, body);
  };
  await tell(GARDEN.slug, archive);
  await tell(ROOM.slug, general);
  await tell(LONG.slug, [['Sam Okafor', `A word that cannot be broken: ${'Donaudampfschifffahrtsgesellschaft'.repeat(4)}`]]);
}
