"""relay.py PORT DIRECTORY: the relay of the monstr package with its events in SQLite."""

import asyncio
import os
import sys

from monstr.event.persist_sqlite import ARelaySQLiteEventStore
from monstr.relay.relay import Relay


async def main(port, directory):
    store = ARelaySQLiteEventStore(os.path.join(directory, "events.db"))
    if not store.exists():
        await store.create()
    await Relay(store, name="monstr").start(host="127.0.0.1", port=port)


asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
