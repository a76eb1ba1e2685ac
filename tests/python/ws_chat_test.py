"""The sockets as a third-party client sees them: the study note's echo, and the live socket.

Wants PICKMATE_WS (ws://host:port of a running node) and PICKMATE_TOKEN (of a member of the room
`general`); scripts/test-python.sh provides both.
"""

import asyncio
import json
import os
import unittest

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

NODE = os.environ["PICKMATE_WS"]
TOKEN = os.environ["PICKMATE_TOKEN"]
CHAT = NODE + "/ws/chat/"
GREETING = {"message": "연결 성공"}
PATIENCE_S = 10


async def receive(socket):
    return json.loads(await asyncio.wait_for(socket.recv(decode=True), PATIENCE_S))


async def echo(socket, value):
    await socket.send(json.dumps({"message": value}))
    return await receive(socket)


async def close_code(socket):
    """Of the next thing that comes, which has to be the end."""
    try:
        frame = await asyncio.wait_for(socket.recv(), PATIENCE_S)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None
    raise AssertionError(f"a frame instead of the end: {frame!r}")


class Echo(unittest.IsolatedAsyncioTestCase):
    async def test_it_greets_once_and_echoes_in_order(self):
        values = ["안녕 🎉", "", 0, -1.5, 10**40, None, True, [1, {"a": []}], {"message": "안"}, "\ud800", "</script>"]
        async with connect(CHAT) as socket:
            self.assertEqual(await receive(socket), GREETING)
            for value in values:
                await socket.send(json.dumps({"message": value, "other": 1}))
            for value in values:
                self.assertEqual(await receive(socket), {"message": value})

    async def test_only_the_sender_hears(self):
        async with connect(CHAT) as one, connect(CHAT) as other:
            self.assertEqual(await receive(one), GREETING)
            self.assertEqual(await receive(other), GREETING)
            self.assertEqual(await echo(one, "하나"), {"message": "하나"})
            self.assertEqual(await echo(other, "둘"), {"message": "둘"})

    async def test_a_bad_frame_ends_its_own_connection_only(self):
        bad = ["", "안녕", '\ufeff{"message": 1}', "{}", '{"Message": 1}', "[]", '"message"', "1", "null"]
        bad += ['{"message": NaN}', b'{"message": 1}', b""]
        async with connect(CHAT) as bystander:
            await receive(bystander)
            for frame in bad:
                with self.subTest(frame=frame):
                    async with connect(CHAT) as socket:
                        await receive(socket)
                        await socket.send(frame)
                        self.assertEqual(await close_code(socket), 1011)
            self.assertEqual(await echo(bystander, 1), {"message": 1})

    async def test_nothing_after_a_bad_frame_is_answered(self):
        async with connect(CHAT) as socket:
            await receive(socket)
            await socket.send("{}")
            try:
                await socket.send('{"message": 1}')
            except ConnectionClosed:
                pass
            self.assertEqual(await close_code(socket), 1011)

    async def test_the_clients_close_code_and_reason_come_back(self):
        for code, reason in [(1000, ""), (1001, "going"), (4000, "안녕히")]:
            with self.subTest(code=code):
                async with connect(CHAT) as socket:
                    await receive(socket)
                    await socket.close(code, reason)
                    answer = socket.protocol.close_rcvd
                    self.assertEqual((answer.code, answer.reason), (code, reason))

    async def test_pings_are_answered_also_between_fragments(self):
        async with connect(CHAT) as socket:
            await receive(socket)
            pongs = []

            async def fragments():
                yield '{"mess'
                pongs.append(await socket.ping())
                yield 'age": "조각'
                yield '"}'

            await socket.send(fragments())
            self.assertEqual(await receive(socket), {"message": "조각"})
            await asyncio.wait_for(pongs[0], PATIENCE_S)

    async def test_a_frame_of_a_mebibyte_comes_back(self):
        text = "x" * (1024 * 1024)
        async with connect(CHAT, max_size=None) as socket:
            await receive(socket)
            self.assertEqual(await echo(socket, text), {"message": text})

    async def test_any_origin_may_come_and_no_subprotocol_is_answered(self):
        for origin in ["https://elsewhere.example", "null", None]:
            async with connect(CHAT + "?a=b", origin=origin, subprotocols=["chat"]) as socket:
                self.assertIsNone(socket.subprotocol)
                self.assertEqual(await receive(socket), GREETING)

    async def test_there_is_one_spelling(self):
        for path in ["/ws/chat", "/ws/chat//", "/ws/Chat/", "/ws/", "/ws", "/ws/chat/x/"]:
            with self.subTest(path=path):
                with self.assertRaises(InvalidStatus) as refused:
                    await connect(NODE + path)
                self.assertGreaterEqual(refused.exception.response.status_code, 400)


class Live(unittest.IsolatedAsyncioTestCase):
    def live(self, **options):
        return connect(NODE + "/live", additional_headers={"Authorization": f"Bearer {TOKEN}"}, **options)

    async def test_a_post_is_acked_and_delivered(self):
        async with self.live(subprotocols=["pickmate.v1"]) as socket:
            self.assertEqual(socket.subprotocol, "pickmate.v1")
            self.assertEqual((await receive(socket))["type"], "hello")
            await socket.send(json.dumps({"type": "join", "room": "general"}))
            joined = await receive(socket)
            self.assertEqual((joined["type"], joined["room"]), ("joined", "general"))
            key = f"python-{joined['head']}"
            await socket.send(json.dumps({"type": "post", "room": "general", "key": key, "body": "안녕하세요"}))

            # Ack and own event come in either order.
            frames = {frame["type"]: frame for frame in [await receive(socket), await receive(socket)]}
            event = frames["events"]["list"][-1]
            self.assertEqual((event["kind"], event["key"], event["body"]), ("posted", key, "안녕하세요"))
            self.assertEqual(frames["ack"], {"type": "ack", "key": key, "seq": event["seq"]})

    async def test_what_was_missed_comes_in_order(self):
        async with self.live() as socket:
            await receive(socket)
            await socket.send(json.dumps({"type": "join", "room": "general", "after": 0}))
            head = (await receive(socket))["head"]
            seqs = []
            while len(seqs) < head:
                seqs += [event["seq"] for event in (await receive(socket))["list"]]
            self.assertEqual(seqs, list(range(1, head + 1)))

    async def test_a_stranger_is_told_by_close_code(self):
        async with connect(NODE + "/live") as socket:
            self.assertEqual(await close_code(socket), 4401)

    async def test_what_is_not_json_ends_the_connection(self):
        async with self.live() as socket:
            await receive(socket)
            await socket.send("안녕")
            self.assertEqual(await close_code(socket), 1007)


if __name__ == "__main__":
    unittest.main()
