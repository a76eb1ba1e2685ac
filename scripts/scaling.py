#!/usr/bin/env python3
"""What an installation of many nodes needs, calculated from what was measured of a few.

usage: scaling.py                 prints the table
       scaling.py --check FILE    fails unless the page has exactly this table

docs/scaling.md tells where the figures come from and what they leave out. Change one and run it again.
"""

import math
import sys

# Measured (docs/performance.md, docs/scaling.md), or bounds of what was. Processor time in microseconds of one core.
POST_US = 460.0  # a post in a commit of its own, on SQLite: 570 in a room of ten, less eleven frames
HEARD_US = 100.0  # a node hears of a post of another node: a bound, in a room of ten nothing else is left
DELIVERY_US = 6.0  # a frame to one socket, when nothing is gathered: the worst case
REDIS_POST_US = 92.0  # all that Redis did, idle work included, by its messages
REDIS_COPY_US = 18.0  # and by the copy for each node more
SOCKET_BYTES = 6_060  # an idle socket that has joined a room
COMEBACKS_PER_S = 9_200  # sockets that one core lets in
POSTGRES_POSTS_PER_S = 5_000  # of three nodes, Postgres on half a core
POSTGRES_MARKS_PER_S = 10_000  # read positions of one node, 256 in a statement, the look-ups before them left out

# Settings of a node (docs/configuration.md).
COMPARE_EVERY_S = 4.0
HEADS_PER_S = 5_000
READ_MARK_EVERY_S = 2.0

# Planned.
CORES = 4  # of a node
BUSY = 0.5  # of a core, on average, so that an hour of twice as much is no trouble
MEMORY_BYTES = 4e9  # for sockets, of a node
BACK_WITHIN_S = 10.0  # a node dies, and its sockets are in again elsewhere
SPARE_NODES = 1
LOOKING = 0.2  # of the sockets show a room to somebody; the others are in the background


class Workload:
    """How people talk: posts an hour and person, who of a room is there, rooms that a person follows."""

    def __init__(self, name, posts_per_hour, present, rooms, posts_per_s=None):
        self.name, self.posts_per_hour, self.present, self.rooms = name, posts_per_hour, present, rooms
        self.posts_per_s = posts_per_s

    def posts(self, sockets):
        return self.posts_per_s or sockets * self.posts_per_hour / 3_600

    def receivers(self, sockets):
        return self.present or sockets

    def marks(self, sockets):
        """Read positions that are stored in a second: whoever looks at a room reads every post of it."""
        rooms = sockets * self.rooms / self.receivers(sockets)
        return sockets * LOOKING * min(self.posts(sockets) / rooms, 1 / READ_MARK_EVERY_S)


WORKLOADS = [
    Workload("teams", posts_per_hour=6, present=10, rooms=10),
    Workload("communities", posts_per_hour=2, present=300, rooms=20),
    Workload("one hall", posts_per_hour=0, present=None, rooms=1, posts_per_s=2),
]


def touched(nodes, receivers):
    """On how many nodes somebody is of so many who are spread by chance."""
    return nodes * (1 - (1 - 1 / nodes) ** receivers)


def rooms_of_a_node(sockets, nodes, load):
    """Rooms in which somebody of the node is."""
    rooms = sockets * load.rooms / load.receivers(sockets)
    return rooms * touched(nodes, load.receivers(sockets)) / nodes


def node_us(sockets, nodes, load):
    """Processor time of all nodes together in a second."""
    posts, receivers = load.posts(sockets), load.receivers(sockets)
    heard = max(touched(nodes, receivers) - 1, 0)
    return posts * (POST_US + heard * HEARD_US + receivers * DELIVERY_US)


def nodes_for(sockets, load):
    """How many nodes, and what decides it."""
    by_memory = sockets * SOCKET_BYTES / MEMORY_BYTES
    # The others take in what one had.
    by_comeback = sockets / (COMEBACKS_PER_S * CORES * BUSY * BACK_WITHIN_S)
    nodes = 1
    while True:
        by_cpu = node_us(sockets, nodes, load) / 1e6 / (CORES * BUSY)
        wanted = max((by_cpu, "processor"), (by_memory, "memory"), (by_comeback, "coming back"))
        if math.ceil(wanted[0]) <= nodes:
            return nodes + SPARE_NODES, wanted[1]
        nodes = math.ceil(wanted[0])


def row(sockets, load):
    nodes, decides = nodes_for(sockets, load)
    posts, receivers = load.posts(sockets), load.receivers(sockets)
    copies, marks = touched(nodes, receivers), load.marks(sockets)
    # The other connections of whoever has read something are mostly on one node.
    redis = (posts * (REDIS_POST_US + copies * REDIS_COPY_US) + marks * (REDIS_POST_US + REDIS_COPY_US)) / 1e6
    rooms = rooms_of_a_node(sockets, nodes, load)
    heads = nodes * min(rooms / COMPARE_EVERY_S, HEADS_PER_S)
    found_within = max(COMPARE_EVERY_S, rooms / HEADS_PER_S)
    return [
        load.name,
        f"{sockets:,}",
        number(posts),
        number(posts * receivers),
        f"{nodes} ({decides})",
        f"{number(posts * copies + marks)}, {math.ceil(redis / BUSY)} × {redis / math.ceil(redis / BUSY) * 100:.0f} %",
        f"{posts / POSTGRES_POSTS_PER_S * 100:.0f} %",
        f"{number(marks)}, {marks / POSTGRES_MARKS_PER_S * 100:,.0f} %",
        number(heads),
        f"{found_within:.0f} s",
    ]


def number(value):
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


HEAD = [
    "people talk as",
    "sockets",
    "posts/s",
    "deliveries/s",
    "nodes (what decides)",
    "Redis: copies/s, shards × busy",
    "of Postgres' posts/s",
    "read positions/s, of Postgres'",
    "heads compared/s",
    "found without Redis within",
]


def table():
    rows = [row(sockets, load) for load in WORKLOADS for sockets in (10_000, 100_000, 1_000_000)]
    lines = [HEAD, ["---"] * len(HEAD), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def main(arguments):
    if arguments[:1] != ["--check"]:
        print(table())
        return 0
    with open(arguments[1], encoding="utf-8") as page:
        if table() in page.read():
            return 0
    print(f"{arguments[1]} does not have the table that scripts/scaling.py prints", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
