"""Asks many questions, some at a time, and ends at once when it is stopped; judges and writes nothing."""

import time
from collections.abc import Callable, Generator, Sequence
from queue import Empty, SimpleQueue
from threading import Event, Thread

from text2sql.evaluation.judging import LeftOpen
from text2sql.evaluation.questions import GoldQuestion
from text2sql.evaluation.results import Result

STOP_SECONDS = 2.0
"""How long a stop waits for queries to be gone from their servers; a model that writes is not waited for."""

Judge = Callable[[GoldQuestion, Event], Result | LeftOpen]


def ask_all(
    questions: Sequence[GoldQuestion], judge: Judge, jobs: int
) -> Generator[Result | LeftOpen, None, None]:
    """Yield what became of each question, in the order in which they end; `jobs` are asked at a time.

    An error that `judge` raises is raised here. Closing the iterator cancels what is being asked.
    """
    waiting: SimpleQueue[GoldQuestion] = SimpleQueue()
    ended: SimpleQueue[Result | LeftOpen | BaseException] = SimpleQueue()
    cancelled = Event()
    for question in questions:
        waiting.put(question)

    def work() -> None:
        while not cancelled.is_set():
            try:
                question = waiting.get_nowait()
            except Empty:
                return
            try:
                ended.put(judge(question, cancelled))
            except BaseException as error:  # noqa: BLE001 — it is raised where somebody reads
                ended.put(error)

    # Daemons: a model call cannot be broken off, and nobody should wait for it after a Ctrl-C.
    threads = [Thread(target=work, daemon=True) for _ in range(min(jobs, len(questions)))]
    for thread in threads:
        thread.start()
    try:
        for _ in questions:
            outcome = ended.get()
            if isinstance(outcome, BaseException):
                raise outcome
            yield outcome
    finally:
        cancelled.set()
        end = time.monotonic() + STOP_SECONDS
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
