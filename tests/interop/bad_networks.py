# SPDX-License-Identifier: MIT
"""Networks that delay, reorder and cut. Each runs in a thread of its own, for the length of a `with` block."""
import asyncio
import contextlib
import fcntl
import os
import random
import socket
import struct
import subprocess
import sys
import threading


class _Running:
    """Runs `_start()` and then an event loop, in a thread."""

    def __enter__(self):
        self._loop = asyncio.new_event_loop()
        self._loop.run_until_complete(self._start())
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
            self._loop.run_until_complete(asyncio.wait([task]))
        self._end()
        self._loop.close()


class ShufflingNetwork(_Running):
    """A network between this namespace and that of a process. Each packet takes a time of its own, so that packets overtake
    each other. It does not need a module of the kernel, as `tc qdisc netem` does: both ends are TUN devices."""

    ADDRESS, CLIENT_ADDRESS = "10.78.0.1", "10.78.0.2"
    LONGEST_S = 0.01

    def __init__(self, client):
        self.packets = self.overtaken = 0
        self._client = client
        self._newest = {}  # the latest packet that has arrived, by its destination

    async def _start(self):
        here, there = self._device("rtad1"), self._device("client1")
        self._devices = (here, there)
        for prefix, command in (
                ([], f"link set client1 netns {self._client.process_id}"),
                ([], f"address add {self.ADDRESS} peer {self.CLIENT_ADDRESS} dev rtad1"),
                ([], "link set rtad1 up"),
                (self._client.inside, f"address add {self.CLIENT_ADDRESS} peer {self.ADDRESS} dev client1"),
                (self._client.inside, "link set client1 up")):
            subprocess.run([*prefix, "ip", *command.split()], check=True)
        self._loop.add_reader(here, self._take, here, there)
        self._loop.add_reader(there, self._take, there, here)

    def _end(self):
        for device in self._devices:
            os.close(device)

    @staticmethod
    def _device(name):
        """Creates a device whose packets are read from and written to a descriptor, without a header."""
        set_interface, tun, no_header = 0x400454CA, 0x0001, 0x1000
        device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        fcntl.ioctl(device, set_interface, struct.pack("16sH22x", name.encode(), tun | no_header))
        return device

    def _take(self, source, target):
        with contextlib.suppress(BlockingIOError):
            while packet := os.read(source, 65536):
                self.packets += 1
                self._loop.call_later(random.uniform(0, self.LONGEST_S), self._deliver, target, self.packets, packet)

    def _deliver(self, target, number, packet):
        self.overtaken += number < self._newest.get(target, 0)
        self._newest[target] = max(number, self._newest.get(target, 0))
        with contextlib.suppress(OSError):  # a full queue loses the packet
            os.write(target, packet)


class CuttingProxy(_Running):
    """Forwards TCP connections in pieces of random sizes, each with a delay of its own in each connection and direction, and
    cuts every connection: at a random moment, or at a random byte. Half of them are reset. The more connections have been cut,
    the longer the next ones live: the slowest machine comes through."""

    LONGEST_LIFE_S, LONGEST_DELAY_S, LARGEST_PIECE = 0.8, 0.004, 3000
    EARLY_BYTES = 12_000  # that of hello, and a few requests
    EARLY_CUTS = 0.4  # how many directions are cut there

    def __init__(self, listen, target):
        self.connections = self.cuts = 0
        self._listen, self._target = listen, target

    async def _start(self):
        self._server = await asyncio.start_server(self._serve, *self._listen)

    def _end(self):
        self._server.close()

    async def _serve(self, client_reader, client_writer):
        self.connections += 1
        writers = [client_writer]
        try:
            daemon_reader, daemon_writer = await asyncio.open_connection(*self._target)
            writers.append(daemon_writer)
            directions = [asyncio.create_task(self._forward(*direction)) for direction in (
                (client_reader, daemon_writer, self._bytes()), (daemon_reader, client_writer, self._bytes()))]
            try:
                ended, _ = await asyncio.wait(directions, timeout=random.uniform(0.05, self.LONGEST_LIFE_S) * self._mercy(),
                                              return_when=asyncio.FIRST_COMPLETED)
                self.cuts += not ended or any(direction.result() for direction in ended)
            finally:
                for direction in directions:
                    direction.cancel()
        finally:
            self._close(writers)

    def _bytes(self):
        """Returns after how many bytes a direction is cut."""
        return random.randrange(self.EARLY_BYTES) if random.random() < self.EARLY_CUTS / self._mercy() else sys.maxsize

    def _mercy(self):
        return 1 + self.cuts / 30

    async def _forward(self, reader, writer, left):
        """Returns whether it was cut, and not closed by a peer."""
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError):
            while piece := await reader.read(random.randint(1, self.LARGEST_PIECE)):
                await asyncio.sleep(random.uniform(0, self.LONGEST_DELAY_S))
                writer.write(piece[:left])
                await writer.drain()
                left -= len(piece)
                if left <= 0:
                    return True
        return False

    @staticmethod
    def _close(writers):
        reset = random.random() < 0.5
        for writer in writers:
            if reset:
                with contextlib.suppress(OSError):  # the peer has closed it
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
