// What people say to each other in the pictures.

export type Line = [author: string, body: string];

export const people = ['준호', 'Sam Okafor', '서연', 'Lina Bergström'];

export const general: Line[] = [
  ['민아', '좋은 아침이에요. 이번 주 토요일 모임 장소 정해야 해요.'],
  ['민아', '후보는 두 곳이에요.\n1. 망원동 공유 주방 — 12명까지, 3만 원\n2. 성수 작업실 — 20명까지, 무료지만 정리는 우리가'],
  ['준호', '저는 망원동이요! 지난번에 가 봤는데 채광이 좋았어요'],
  ['Sam Okafor', 'Either works for me. Is there parking near 성수? I would bring the projector and it is not something I want to carry on the subway again.'],
  ['서연', '성수는 주차가 어려워요. 대신 2호선에서 걸어서 5분'],
  ['Sam Okafor', 'ok 망원동 then 🙂'],
  ['Lina Bergström', 'Here is the map: https://example.org/places/mangwon-kitchen?guests=12&day=saturday — the entrance is from the back.'],
  ['준호', 'ㅋㅋㅋ 저번에 저 앞문에서 20분 기다렸어요'],
  ['민아', '그럼 망원동으로 할게요. 예약은 제가 오늘 중으로 넣고, 확정되면 여기에 다시 알려 드릴게요.'],
  ['민아', '준비물: 컵, 접시, 마실 것'],
  ['서연', '컵은 제가 챙길게요. 몇 명이죠?'],
  ['민아', '지금 여덟 명'],
  ['Lina Bergström', 'I can do drinks. Anyone who does not drink coffee?'],
  ['Sam Okafor', '🙋'],
  [
    '서연',
    '그리고 지난번 회의에서 나온 얘기인데요, 발표 순서를 미리 정해 두면 좋겠다는 의견이 많았어요. 한 사람당 10분씩, 질문은 모아서 마지막에 받는 걸로 하고, 시간을 재는 사람을 한 명 두면 어떨까요? 지난번에는 첫 발표가 길어져서 뒤 사람들이 서둘러야 했거든요. 슬라이드는 금요일 저녁까지 https://example.org/slides 에 올려 주시면 제가 합쳐 둘게요.',
  ],
  ['준호', '좋아요 👍 시간은 제가 잴게요'],
  ['Sam Okafor', 'Sounds good. 10 min is tight but fair.'],
];

export const archive: Line[] = Array.from({ length: 70 }, (_, day): Line => {
  const lines: Line[] = [
    ['준호', `${day + 1}일차 기록: 새싹이 ${3 + (day % 5)}개 더 났어요.`],
    ['Lina Bergström', `Day ${day + 1}: watered in the morning, 2 l.`],
    ['서연', '사진은 내일 올릴게요.'],
  ];
  return lines[day % lines.length]!;
});
