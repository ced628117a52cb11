"""A slow way to a server on loopback: every byte arrives half a round trip late, in order."""
import asyncio
import socket
import threading


class Slow:
    """Listens on a port of its own, until the end of the `with`."""

    def __init__(self, to, round_trip):
        self.to, self.delay = to, round_trip / 2
        self.port = None
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        self.ready.wait()
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        # What still carries bytes is over, and nobody is to be told.
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))

    def serve(self):
        asyncio.set_event_loop(self.loop)
        listener = self.loop.run_until_complete(asyncio.start_server(self.accept, "127.0.0.1", 0))
        self.port = listener.sockets[0].getsockname()[1]
        self.ready.set()
        self.loop.run_forever()

    async def accept(self, reader, writer):
        there = await asyncio.open_connection("127.0.0.1", self.to)
        for end in (writer, there[1]):
            end.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.gather(self.carry(reader, there[1]), self.carry(there[0], writer))

    async def carry(self, reader, writer):
        while data := await self.read(reader):
            self.loop.call_later(self.delay, self.put, writer, data)
        self.loop.call_later(self.delay, writer.close)

    @staticmethod
    async def read(reader):
        try:
            return await reader.read(65536)
        except ConnectionError:
            return b""

    @staticmethod
    def put(writer, data):
        if not writer.is_closing():
            writer.write(data)
