from __future__ import annotations

import pytest

from rpg.batch import schedule
from rpg.batch.schedule import Schedule, Worker


def schedule_of(*workers: Worker, jobs: int = 0) -> Schedule[int]:
    made: Schedule[int] = Schedule(workers)
    for job in range(jobs):
        made.add(job)
    return made


def test_the_least_busy_worker_first_and_never_more_than_its_limit() -> None:
    one, two = Worker("one", 3), Worker("two", 2)
    made = schedule_of(one, two, jobs=9)
    order = []
    while started := made.start(0):
        order.append(started[0].name)
        assert one.running <= 3
        assert two.running <= 2
    assert order == ["one", "two", "one", "two", "one"]
    made.finish(two)
    assert made.start(0)[0] is two  # type: ignore[index]
    assert len(made.waiting) == 3


def test_what_is_given_back_goes_to_another_at_once_and_to_the_same_later() -> None:
    one, two = Worker("one"), Worker("two")
    made = schedule_of(one, two, jobs=3)
    (_, task), _ = made.start(0), made.start(0)  # type: ignore[misc]
    made.give_back(one, task, 1.0, "It is off.")
    assert made.start(1.0) is None
    assert made.wait(1.0) == schedule.FIRST_PAUSE
    made.finish(two)
    assert made.start(1.0) == (two, task)
    assert made.start(1.0 + schedule.FIRST_PAUSE)[0] is one  # type: ignore[index]


def test_a_named_wait_holds_for_all_calls_and_is_no_miss() -> None:
    server = Worker("server", 3)
    made = schedule_of(server, jobs=4)
    tasks = [made.start(0)[1] for _ in range(3)]  # type: ignore[index]
    made.give_back(server, tasks[0], 0, "Slow down.", after=1000)
    made.give_back(server, tasks[1], 0, "Slow down.", after=10)
    made.give_back(server, tasks[2], 0, "No.")
    assert made.start(999.9) is None
    assert made.start(1000)
    for now in range(1000, 10**6, 1000):
        made.give_back(server, tasks[0], now, "Slow down.", after=1000)
        made.start(now + 1000)
    assert not made.lost


def test_waits_grow_and_end() -> None:
    server, now, waits = Worker("server"), 0.0, []
    made = schedule_of(server, jobs=1)
    while started := made.start(now):
        made.give_back(*started, now, "It is off.")
        waits.append(made.wait(now))
        now += waits[-1] or 0
    assert waits[:6] == [2, 4, 8, 16, 32, 60]
    assert schedule.PATIENCE <= now < schedule.PATIENCE + 2 * schedule.LONGEST_PAUSE
    assert made.lost == "It is off."
    assert len(made.waiting) == 1


def test_a_task_that_breaks_every_worker_fails() -> None:
    made = schedule_of(*(Worker(name) for name in "abcde"), jobs=1)
    for _ in range(schedule.MOST_BREAKS):
        worker, task = made.start(0)  # type: ignore[misc]
        made.give_back(worker, task, 0, "It broke off.", broke=True)
    assert (list(made.failed), list(made.waiting)) == ([(task, "It broke off.")], [])


def test_a_task_that_one_cannot_do_is_tried_by_each_other_once() -> None:
    made = schedule_of(Worker("a"), Worker("b"), Worker("c"), jobs=1)
    tried = []
    while started := made.start(0):
        tried.append(started[0].name)
        made.elsewhere(*started, "Out of memory.")
    assert tried == ["a", "b", "c"]
    assert [sentence for _, sentence in made.failed] == ["Out of memory."]


@pytest.mark.parametrize("success", [False, True])
def test_a_worker_that_fails_all_alike_is_given_up(success: bool) -> None:
    made = schedule_of(Worker("a"), jobs=1000)
    count = 0
    while started := made.start(0):
        count += 1
        if success and count % (schedule.MOST_ALIKE - 1) == 0:
            made.finish(started[0])
        else:
            made.refuse(*started, "The key is wrong.")
    assert made.lost == ("" if success else "The key is wrong.")
    assert count == (1000 if success else schedule.MOST_ALIKE)


def test_what_only_a_lost_worker_could_do_fails() -> None:
    one, two = Worker("one"), Worker("two")
    made = schedule_of(one, two, jobs=schedule.MOST_ALIKE + 1)
    _, first = made.start(0)  # type: ignore[misc]
    made.elsewhere(one, first, "Out of memory.")
    two.opens = 1
    for number in range(schedule.MOST_ALIKE):
        worker, task = made.start(0)  # type: ignore[misc]
        made.elsewhere(worker, task, f"Out of memory at {number}.")
    for _ in range(schedule.MOST_ALIKE):
        _, task = made.start(1)  # type: ignore[misc]
        made.refuse(two, task, "It is broken.")
    assert two.lost
    assert not made.lost
    assert not made.waiting
    assert len(made.failed) == schedule.MOST_ALIKE + 1
