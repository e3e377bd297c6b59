"""Both clients against servers that are stopped, killed and started again."""
from __future__ import annotations

import asyncio
import datetime
import tempfile
import threading
import unittest
from pathlib import Path
from typing import Any

import kelpdb
from kelpdb import Current, Events, Progress, Synced, Txn

from .server import TLS, Server, free_port
from .threaded import ThreadedClient


async def next_events(watch: Any, count: int) -> list[tuple[str, str]]:
    """Of the next events: the key and the value; a delete has the value `-`."""
    found: list[tuple[str, str]] = []
    async for message in watch:
        if isinstance(message, Events):
            found += [(str(each.key), each.entry.text() if each.entry else "-") for each in message.events]
        if len(found) >= count:
            break
    return found


def guarded_server(test: unittest.TestCase) -> tuple[Server, list[str], kelpdb.Password]:
    """One that asks for credentials; the options by which a command logs in, and the password that it takes."""
    folder = tempfile.TemporaryDirectory()
    test.addCleanup(folder.cleanup)
    file = Path(folder.name) / "password"
    file.write_text("a long secret")
    server = Server("--root-password-file", str(file))
    test.addCleanup(server.remove)
    return server, ["--user", "root", "--password-file", str(file)], kelpdb.Password("root", "a long secret")


async def as_coroutine(opening: Any) -> Any:
    return await opening


class Suite:
    """What is tried of each client."""

    make: Any

    def setUp(self) -> None:
        self.server = Server()
        self.addCleanup(self.server.remove)  # type: ignore[attr-defined]

    async def test_keys_are_written_under_conditions(self: Any) -> None:
        async with self.make(self.server.address) as client:
            first = await client.put("a", "1", if_absent=True)
            with self.assertRaises(kelpdb.ConditionFailed) as raised:
                await client.put("a", "2", if_absent=True)
            self.assertEqual(raised.exception.current_mod_revision, first.revision)
            self.assertEqual(raised.exception.code, "conditionFailed")
            self.assertFalse(raised.exception.may_have_taken_effect)
            second = await client.put("a", b"\xff", if_revision=first.revision, return_previous=True)
            self.assertEqual(second.previous.text(), "1")
            entry, revision = await client.get("a")
            self.assertEqual((entry.value, entry.version, revision), (b"\xff", 2, second.revision))
            self.assertEqual((await client.get("a", revision=first.revision)).entry.text(), "1")
            with self.assertRaises(kelpdb.ConditionFailed):
                await client.put("b", "1", if_present=True)
            with self.assertRaises(kelpdb.ConditionFailed):
                await client.delete("a", if_revision=first.revision)
            self.assertTrue((await client.delete("a", if_revision=second.revision)).deleted)
            self.assertFalse((await client.delete("a")).deleted)
            self.assertIsNone((await client.get("a")).entry)

    async def test_keys_are_text_or_bytes(self: Any) -> None:
        async with self.make(self.server.address) as client:
            for key in ("grün", b"\xff\x00", b"text"):
                await client.put(key, "1")
                self.assertEqual((await client.get(key)).entry.text(), "1")
            self.assertEqual([entry.key async for entry in client.scan()], ["grün", "text", b"\xff\x00"])

    async def test_scans_go_on_page_by_page(self: Any) -> None:
        async with self.make(self.server.address) as client:
            for number in range(7):
                await client.put(f"s/{number}", str(number))
            await client.put("t", "x")
            whole = [f"s/{number}" for number in range(7)]
            self.assertEqual([each.key async for each in client.scan("s/", page_size=2)], whole)
            self.assertEqual([each.key async for each in client.scan("s/", page_size=3, limit=4)], whole[:4])
            self.assertEqual([each.key async for each in client.scan("s/", reverse=True, limit=2)], whole[:-3:-1])
            found = [(each.key, each.value) async for each in client.scan(start="s/5", end="t", keys_only=True)]
            self.assertEqual(found, [("s/5", b""), ("s/6", b"")])
            self.assertEqual([each async for each in client.scan("s/", limit=0)], [])

    async def test_transactions_and_counters(self: Any) -> None:
        async with self.make(self.server.address) as client:
            self.assertEqual((await client.increment("n", 5)).value, 5)
            revision = (await client.put("a", "1")).revision
            txn = Txn().when_revision("a", revision).when_value("a", "1").when_absent("b")
            txn.put("b", "2").get("a").increment("n", -2).delete("a").otherwise().get("b")
            result = await client.txn(txn)
            self.assertTrue(result.succeeded)
            put, got, counted, deleted = result.results
            self.assertEqual(
                (put.revision, got.entry.text(), counted.value, deleted.deleted), (result.revision, "1", 3, True)
            )
            again = await client.txn(txn)
            self.assertEqual((again.succeeded, again.results[0].entry.text()), (False, "2"))
            await client.put("word", "x")
            with self.assertRaises(kelpdb.KelpError) as raised:
                await client.increment("word")
            self.assertEqual(raised.exception.code, "notAnInteger")

    async def test_what_can_not_be_sent_is_refused(self: Any) -> None:
        async with self.make(self.server.address) as client:
            for wrong in (client.put(1, "1"), client.put("a", 1), client.get("")):
                with self.assertRaises(kelpdb.InvalidArgument):
                    await wrong
            with self.assertRaises(kelpdb.InvalidArgument):
                await client.put("a", "1", if_absent=True, if_present=True)
            with self.assertRaises(kelpdb.InvalidArgument):
                await client.lock("a/~b")
        for addresses in (["a b"], ["ftp://a"], ["a:b"], ["https://a", "b"]):
            with self.assertRaises(kelpdb.InvalidArgument):
                self.make(*addresses)

    async def test_times_to_live(self: Any) -> None:
        async with self.make(self.server.address) as client:
            async with client.watch("t/") as watch:
                self.assertIsInstance(await anext(watch), Synced)
                await client.put("t/a", "1", ttl=datetime.timedelta(milliseconds=200))
                self.assertEqual(await next_events(watch, 2), [("t/a", "1"), ("t/a", "-")])

    async def test_reads_outlast_a_restart_and_a_kill(self: Any) -> None:
        async with self.make(self.server.address, deadline=60) as client:
            await client.put("a", "1")
            for end in (self.server.kill, self.server.stop):
                end()
                reading = asyncio.ensure_future(client.get("a"))
                with self.assertRaises(kelpdb.Unavailable) as raised:
                    await client.put("a", "2", deadline=0.3)
                self.assertFalse(raised.exception.may_have_taken_effect)
                await asyncio.to_thread(self.server.start)
                self.assertEqual((await reading).entry.text(), "1")
                self.assertTrue((await client.put("a", "1")).revision > 0)

    async def test_a_server_that_is_not_there(self: Any) -> None:
        async with self.make(f"127.0.0.1:{free_port()}", deadline=0.5) as client:
            with self.assertRaises(kelpdb.Unavailable) as raised:
                await client.get("a")
            self.assertIn("tried", str(raised.exception))
        async with self.make(f"127.0.0.1:{free_port()}", retries=0) as client:
            with self.assertRaises(kelpdb.Unavailable) as raised:
                await client.put("a", "1")
            self.assertFalse(raised.exception.may_have_taken_effect)

    async def test_calls_move_on_to_another_server(self: Any) -> None:
        # One of the two is never there.
        async with self.make(f"127.0.0.1:{free_port()}", self.server.address) as client:
            for number in range(20):
                await client.put("a", str(number))
            async with client.watch("a", include_current=True) as watch:
                self.assertEqual((await anext(watch)).entries[0].text(), "19")

    async def test_watches_go_on_without_gap_or_repeat(self: Any) -> None:
        async with self.make(self.server.address, deadline=60) as client:
            await client.put("w/0", "0")
            async with client.watch("w/", include_current=True) as watch:
                self.assertIsInstance(await anext(watch), Current)
                self.assertIsInstance(await anext(watch), Synced)
                expected = []
                for round_ in range(3):
                    for number in range(5):
                        await client.put(f"w/{number}", f"{round_}.{number}")
                        expected.append((f"w/{number}", f"{round_}.{number}"))
                    if round_ == 0:
                        self.assertEqual(await next_events(watch, 5), expected)
                    (self.server.kill if round_ == 0 else self.server.stop)()
                    await asyncio.to_thread(self.server.start)
                self.assertEqual(await next_events(watch, 10), expected[5:])
                # Another watch goes on from there.
                await client.delete("w/0")
                position = watch.position
                async with client.watch("w/", after=position) as other:
                    self.assertEqual(await next_events(other, 1), [("w/0", "-")])

    async def test_a_watch_says_that_changes_are_not_kept(self: Any) -> None:
        async with self.make(self.server.address) as client:
            for number in range(5):
                await client.put("a", str(number))
            await asyncio.to_thread(self.server.command, "compact", "4")
            with self.assertRaises(kelpdb.RevisionCompacted) as raised:
                await anext(client.watch(start_revision=2))
            self.assertEqual(raised.exception.details["requested_revision"], 2)
            async with client.watch(start_revision=2, restart_when_lost=True) as watch:
                self.assertIsInstance(await anext(watch), kelpdb.Restarted)
                self.assertEqual((await anext(watch)).entries[0].text(), "4")

    async def test_a_watch_says_that_the_store_is_another(self: Any) -> None:
        async with self.make(self.server.address, deadline=60) as client:
            await client.put("a", "1")
            async with client.watch() as watch:
                await anext(watch)
                self.server.kill()
                self.server.fresh()
                await asyncio.to_thread(self.server.start)
                with self.assertRaises(kelpdb.OtherStore):
                    while isinstance(await anext(watch), Progress):
                        pass

    async def test_a_watch_can_be_closed_while_it_waits(self: Any) -> None:
        async with self.make(self.server.address) as client:
            watch = client.watch()
            await anext(watch)
            waiting = asyncio.ensure_future(anext(watch, "ended"))
            await client.put("a", "1")
            self.assertIsInstance(await waiting, Events)
            waiting = asyncio.ensure_future(anext(watch, "ended"))
            await asyncio.sleep(0)
            await watch.aclose()
            self.assertEqual(await waiting, "ended")
            # As does what waits when the client is closed.
            watch = client.watch()
            await anext(watch)
            waiting = asyncio.ensure_future(anext(watch))
            await asyncio.sleep(0)
            await client.close()
            with self.assertRaises(kelpdb.Closed):
                await waiting
            with self.assertRaises(kelpdb.Closed):
                await client.get("a")

    async def test_leases_are_kept_alive_and_lost(self: Any) -> None:
        async with self.make(self.server.address) as client, self.make(self.server.address) as other:
            async with client.lease(3) as lease:
                await client.put("held", "1", lease_id=lease.id)
                lost = asyncio.ensure_future(as_coroutine(lease.wait_lost()))
                async with client.watch("held") as watch:
                    await anext(watch)
                    await client.put("held", "2", lease_id=lease.id)
                    self.assertEqual(await next_events(watch, 1), [("held", "2")])
                    # Longer than it lives by itself.
                    await asyncio.sleep(4)
                    self.assertEqual((await client.get("held")).entry.text(), "2")
                    self.assertGreater(lease.remaining, 0)
            self.assertIsNone((await client.get("held")).entry)
            self.assertIsNone(await lost)
            lease = await client.lease(60)
            await asyncio.to_thread(self.server.command, "lease", "revoke", str(lease.id))
            await lease.wait_lost()
            self.assertEqual((lease.lost.code, lease.remaining), ("leaseNotFound", 0))
            lease = await other.lease(1)
            self.server.stop()
            await lease.wait_lost()
            self.assertEqual(lease.lost.code, "unavailable")

    async def test_locks_exclude_and_follow_one_another(self: Any) -> None:
        async with self.make(self.server.address) as client, self.make(self.server.address) as other:
            first = await client.lock("l", ttl=60)
            self.assertTrue(first.is_held)
            waiting = asyncio.ensure_future(as_coroutine(other.lock("l", ttl=60)))
            txn = Txn().when(first.guard).put("done", "1")
            self.assertTrue((await client.txn(txn)).succeeded)
            self.assertFalse(waiting.done())
            await first.release()
            second = await waiting
            self.assertGreater(second.token, first.token)
            self.assertFalse(first.is_held)
            self.assertFalse((await client.txn(txn)).succeeded)
            await asyncio.to_thread(self.server.command, "lease", "revoke", str(second.id))
            await second.wait_lost()
            self.assertFalse(second.is_held)
            self.assertEqual([each async for each in client.scan()][1:], [])

    async def test_leaders_are_seen_in_their_order(self: Any) -> None:
        async with self.make(self.server.address) as client:
            leaders = client.leaders("e")
            self.assertIsNone(await anext(leaders))
            for value in ("one", {"host": "two"}):
                async with client.elect("e", value, ttl=60) as held:
                    seen = await anext(leaders)
                    self.assertEqual((seen.value, seen.token), (value, held.token))
                    for proclaimed in ("ready", ["busy"]):
                        await held.proclaim(proclaimed)
                        seen = await anext(leaders)
                        self.assertEqual((seen.value, seen.token), (proclaimed, held.token))
                self.assertIsNone(await anext(leaders))
            with self.assertRaises(kelpdb.LeaseNotFound):
                await held.proclaim("late")
            await leaders.aclose()

    async def test_a_leader_whose_value_can_not_be_read(self: Any) -> None:
        async with self.make(self.server.address) as client:
            leaders = client.leaders("e")
            self.assertIsNone(await anext(leaders))
            for written in (b"not JSON", b"\xff", b"[" * 60_000):
                put = await client.put("e/~candidate/1", written)
                with self.assertRaises(kelpdb.KelpError) as raised:
                    await anext(leaders)
                self.assertEqual(raised.exception.code, "internal")
                self.assertIn("e/~candidate/1", str(raised.exception))
                raw = client.leaders("e", decode=bytes)
                self.assertEqual(await anext(raw), kelpdb.Leader(written, put.revision))
                await raw.aclose()
                await client.delete("e/~candidate/1")
                # It goes on with the leaders that follow.
                self.assertIsNone(await anext(leaders))
            await leaders.aclose()

    async def test_tls(self: Any) -> None:
        server = Server("--tls-cert", str(TLS / "cert.pem"), "--tls-key", str(TLS / "key.pem"))
        self.addCleanup(server.remove)
        tls = kelpdb.Tls(ca=(TLS / "cert.pem").read_bytes())
        async with self.make(f"https://localhost:{server.port}", tls=tls) as client:
            await client.put("a", "1")
            self.assertEqual((await client.get("a")).entry.text(), "1")
        # What no other try can mend is told at once.
        for wrong in (
            self.make(f"https://localhost:{server.port}", deadline=60),
            self.make(f"https://{self.server.address}", deadline=60),
        ):
            async with wrong as client:
                with self.assertRaises(kelpdb.Unavailable) as raised:
                    await client.get("a")
                self.assertNotIn("tried", str(raised.exception))

    async def test_credentials(self: Any) -> None:
        server, _, right = guarded_server(self)
        async with self.make(server.address) as client:
            with self.assertRaises(kelpdb.Unauthenticated):
                await client.get("a")
        wrong = kelpdb.Password("root", "a wrong one")
        async with self.make(server.address, credentials=right) as client:
            await client.put("a", "1")
        given = [wrong, right]
        async with self.make(server.address, credentials=lambda: given.pop(0)) as client:
            self.assertEqual((await client.get("a")).entry.text(), "1")
            async with client.watch(include_current=True) as watch:
                self.assertIsInstance(await anext(watch), Current)
        self.assertEqual(given, [])

        def fail() -> Any:
            raise OSError("no vault")

        async with self.make(server.address, credentials=fail) as client:
            with self.assertRaises(kelpdb.Unauthenticated) as raised:
                await client.get("a")
            self.assertIn("no vault", str(raised.exception))
        with self.assertRaises(kelpdb.InvalidArgument):
            self.make("kelp.internal", credentials=right)


class AsyncTest(Suite, unittest.IsolatedAsyncioTestCase):
    make = kelpdb.AsyncClient

    async def test_a_call_waits_for_the_question_of_another_until_its_deadline(self) -> None:
        server, _, right = guarded_server(self)
        may_answer, is_asked = asyncio.Event(), asyncio.Event()

        async def ask() -> kelpdb.Password:
            is_asked.set()
            await may_answer.wait()
            return right

        async with self.make(server.address, credentials=ask) as client:
            first = asyncio.ensure_future(client.get("a", deadline=60))
            await is_asked.wait()
            with self.assertRaises(kelpdb.DeadlineExceeded):
                await asyncio.wait_for(client.get("a", deadline=0.2), 20)
            may_answer.set()
            self.assertIsNone((await first).entry)
        may_answer.clear()
        async with self.make(server.address, credentials=ask) as client:
            with self.assertRaises(kelpdb.DeadlineExceeded):
                await client.get("a", deadline=0.2)

    async def test_a_wait_that_is_given_up_loses_nothing(self) -> None:
        async with self.make(self.server.address) as client:
            for number in range(5):
                await client.put(f"s/{number}", "x")
            scan, watch = client.scan("s/", page_size=2), client.watch("s/")
            found = [await anext(scan), await anext(scan)]
            given_up = asyncio.ensure_future(anext(scan))
            await asyncio.sleep(0)
            given_up.cancel()
            self.assertIsInstance((await asyncio.gather(given_up, return_exceptions=True))[0], asyncio.CancelledError)
            found += [entry async for entry in scan]
            self.assertEqual([entry.key for entry in found], [f"s/{number}" for number in range(5)])

            await anext(watch)
            expected, told, given_up_count = [], [], 0
            for number in range(20):
                expected.append((f"s/{number}", str(number)))
                await client.put(*expected[-1])
                try:
                    message = await asyncio.wait_for(anext(watch), 0.001)
                    told += [(str(each.key), each.entry.text()) for each in message.events]
                except asyncio.TimeoutError:
                    given_up_count += 1
            told += await next_events(watch, len(expected) - len(told))
            self.assertEqual(told, expected)
            self.assertGreater(given_up_count, 0)
            await watch.aclose()
            with self.assertRaises(StopAsyncIteration):
                await anext(watch)


class PlainTest(Suite, unittest.IsolatedAsyncioTestCase):
    make = ThreadedClient

    async def test_a_call_waits_for_credentials_until_its_deadline(self) -> None:
        server, _, right = guarded_server(self)
        may_answer, answers = threading.Event(), []

        def ask() -> kelpdb.Password:
            answers.append(may_answer.wait(20))
            return right

        async with self.make(server.address, credentials=ask) as client:
            calls = [client.get("a", deadline=deadline) for deadline in (0.2, 0.5)]
            for outcome in await asyncio.gather(*calls, return_exceptions=True):
                self.assertIsInstance(outcome, kelpdb.DeadlineExceeded)
            with self.assertRaises(kelpdb.DeadlineExceeded):
                await client.get("a", deadline=0.2)
            # What it gives late is for the calls that follow.
            later = asyncio.ensure_future(client.get("a", deadline=60))
            may_answer.set()
            self.assertIsNone((await later).entry)
            self.assertEqual(answers, [True])

    async def test_a_lease_is_lost_in_time_while_credentials_are_waited_for(self) -> None:
        server, login, right = guarded_server(self)
        may_answer, asked = threading.Event(), []
        self.addCleanup(may_answer.set)

        def ask() -> kelpdb.Password:
            asked.append(1)
            if len(asked) > 1:
                may_answer.wait(60)
            return right

        async with self.make(server.address, credentials=ask) as client:
            lease = await client.lease(6)
            change = ["user", "password", "root", "--password-stdin", *login]
            await asyncio.to_thread(lambda: server.command(*change, stdin="another long secret"))
            self.assertIsNotNone(await lease.wait_lost(40))
            self.assertGreater(len(asked), 1)
            lease.close()
