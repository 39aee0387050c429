"""relay.py PORT DIRECTORY [auth]: LocalRelay of the nostr-sdk package with its events in LMDB.

Each of MAX_LIMIT and NOTES_PER_MINUTE in the environment overrides the library's default.
"""

import asyncio
import os
import sys

from nostr_sdk import LocalRelayBuilder, LocalRelayBuilderNip42, LocalRelayBuilderNip42Mode, NostrLmdb, RateLimit
from nostr_sdk.nostr_sdk import uniffi_set_event_loop


async def main(port, directory, *modes):
    uniffi_set_event_loop(asyncio.get_running_loop())
    builder = LocalRelayBuilder().port(int(port)).database(await NostrLmdb.open(directory))
    if "NOTES_PER_MINUTE" in os.environ:
        notes_per_minute = int(os.environ["NOTES_PER_MINUTE"])
        builder = builder.rate_limit(RateLimit(max_reqs=500, notes_per_minute=notes_per_minute))
    if "MAX_LIMIT" in os.environ:
        builder = builder.max_filter_limit(int(os.environ["MAX_LIMIT"]))
    if "auth" in modes:
        builder = builder.nip42(LocalRelayBuilderNip42(mode=LocalRelayBuilderNip42Mode.BOTH))
    relay = builder.build()
    await relay.run()
    print("listening", await relay.url(), flush=True)
    await asyncio.Event().wait()


asyncio.run(main(*sys.argv[1:]))
