"""A slow link between two network interfaces, in user space, for kernels without netem.

plain IF...                     turn off the offloads of IF that would hand the link frames larger than the MTU
                                or with checksums that are not filled in yet
join A B DELAY_MS MBIT_PER_S    carry frames between A and B until standard input ends, each way with that
                                delay and rate; a frame that would wait longer than QUEUE_SECONDS is dropped

AF_PACKET sockets need root. The interfaces are expected in this process's network namespace.
"""

import array
import collections
import fcntl
import select
import socket
import struct
import sys
import time

# A drop-tail queue of this length: a common size of access routers, some round trips long.
QUEUE_SECONDS = 0.1
# Frames taken from one interface before the other one and the timers get their turn.
BATCH_FRAMES = 64
MAX_FRAME = 65536

# https://github.com/torvalds/linux/blob/master/include/uapi/linux/ethtool.h
SIOCETHTOOL = 0x8946
OFFLOADS = {"tx checksum": 0x17, "rx checksum": 0x15, "TSO": 0x1F, "GSO": 0x24, "GRO": 0x2C}
# https://github.com/torvalds/linux/blob/master/include/uapi/linux/if_packet.h and asm-generic/socket.h
ETH_P_ALL = 3
SO_SNDBUFFORCE = 32
SO_RCVBUFFORCE = 33
SOL_PACKET = 263
PACKET_IGNORE_OUTGOING = 23
SOCKET_BUFFER_BYTES = 32 << 20


def turn_off_offloads(interface):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for command in OFFLOADS.values():
            value = array.array("B", struct.pack("II", command, 0))
            request = struct.pack("16sP", interface.encode(), value.buffer_info()[0])
            try:
                fcntl.ioctl(control.fileno(), SIOCETHTOOL, request)
            except OSError:
                pass  # The driver has no such offload, so there is nothing to turn off.


def open_port(interface):
    port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    port.bind((interface, 0))
    port.setblocking(False)
    port.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_BUFFER_BYTES)
    port.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, SOCKET_BUFFER_BYTES)
    port.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    return port


class Direction:
    """Frames from one interface to the other, each with the time at which it is due."""

    def __init__(self, source, target, delay, rate):
        self.source, self.target, self.delay, self.rate = source, target, delay, rate
        self.line_free_at = 0.0
        self.waiting = collections.deque()

    def receive(self):
        for _ in range(BATCH_FRAMES):
            try:
                frame = self.source.recv(MAX_FRAME)
            except BlockingIOError:
                return
            now = time.monotonic()
            start = max(now, self.line_free_at)
            if start - now > QUEUE_SECONDS:
                continue
            self.line_free_at = start + len(frame) / self.rate
            self.waiting.append((self.line_free_at + self.delay, frame))

    def deliver(self):
        """Sends what is due; returns when the next frame is due, or None."""
        now = time.monotonic()
        while self.waiting and self.waiting[0][0] <= now:
            try:
                self.target.send(self.waiting.popleft()[1])
            except OSError:
                pass  # A full or vanished interface loses the frame, as a wire would.
        return self.waiting[0][0] if self.waiting else None


def join(first, second, delay, rate):
    a, b = open_port(first), open_port(second)
    ways = {a.fileno(): Direction(a, b, delay, rate), b.fileno(): Direction(b, a, delay, rate)}
    poll = select.epoll()
    for descriptor in ways:
        poll.register(descriptor, select.EPOLLIN)
    poll.register(sys.stdin.fileno(), select.EPOLLIN | select.EPOLLHUP)
    print("joined", flush=True)
    while True:
        due = [at for at in (way.deliver() for way in ways.values()) if at is not None]
        timeout = max(0.0, min(due) - time.monotonic()) if due else -1
        for descriptor, _ in poll.poll(timeout):
            if descriptor not in ways:
                return
            ways[descriptor].receive()


def main(arguments):
    if len(arguments) >= 2 and arguments[0] == "plain":
        for interface in arguments[1:]:
            turn_off_offloads(interface)
    elif len(arguments) == 5 and arguments[0] == "join":
        join(arguments[1], arguments[2], float(arguments[3]) / 1e3, float(arguments[4]) * 1e6 / 8)
    else:
        print(__doc__, file=sys.stderr)
        sys.exit(2)


main(sys.argv[1:])
