"""What the main thread asks of a ledger is done on a thread of its own; tests/crash interrupts it at every moment."""

import gc
import inspect
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

from refvideo_nb.errors import UnknownJobError
from refvideo_nb.ledger.aside import Aside
from refvideo_nb.ledger.store import Ledger


@pytest.fixture
def aside():
    made = Aside()
    yield made
    made.close()


def test_the_main_thread_waits_and_others_do_it_themselves(aside):
    assert aside.run(threading.current_thread) is not threading.main_thread()
    with ThreadPoolExecutor(1) as pool:
        assert (
            pool.submit(aside.run, threading.current_thread).result() is pool.submit(threading.current_thread).result()
        )


def test_errors_come_back_as_they_are(aside):
    with pytest.raises(KeyError, match="x"):
        aside.run(lambda: {}["x"])
    assert aside.run(lambda: 1) == 1


def test_a_call_may_make_further_calls(aside):
    assert aside.run(lambda: aside.run(lambda: 2)) == 2


def test_after_its_end_calls_are_done_at_once(aside):
    aside.close()
    assert aside.run(threading.current_thread) is threading.main_thread()


def test_what_nobody_closes_ends_with_its_last_user():
    made = Aside()
    thread, kept = made._thread, weakref.ref(made)
    del made
    gc.collect()
    assert kept() is None
    thread.join(10)
    assert not thread.is_alive()


def test_every_call_of_a_ledger_is_whole(tmp_path):
    ledger = Ledger(tmp_path)
    public = {n: f for n, f in inspect.getmembers(Ledger, inspect.isfunction) if not n.startswith("_") and n != "close"}
    assert [name for name, function in public.items() if not hasattr(function, "__wrapped__")] == []
    with pytest.raises(UnknownJobError):
        ledger.get("rv-20270115-aaaaaa")
    ledger.close()
    ledger.close()
