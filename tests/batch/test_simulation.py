from __future__ import annotations

from dataclasses import replace

import pytest

from tests.batch.simulation import Cluster, Simulation

SMALL = Cluster(workers=50, jobs=1000, calls=20, prompts=5)


@pytest.mark.parametrize(
    "cluster",
    [SMALL, replace(SMALL, rate=30), replace(SMALL, deaths=20), replace(SMALL, slow=0.2), replace(SMALL, calls=1, rate=5)],
)
def test_each_picture_is_made_once_and_no_more_is_asked_than_allowed(cluster: Cluster) -> None:
    outcome = Simulation(cluster).run()
    assert outcome.made == dict.fromkeys(range(cluster.jobs), 1)
    assert outcome.most_calls <= cluster.calls
    assert outcome.most_underway <= 2 * (cluster.calls + cluster.workers)
    assert outcome.asked - outcome.refused == cluster.jobs / cluster.prompts


def test_workers_are_busy_where_plans_come_fast_enough() -> None:
    assert Simulation(replace(SMALL, jobs=4000)).run().busy > 0.9


def test_a_server_that_limits_the_rate_sets_the_pace() -> None:
    limited = Simulation(replace(SMALL, rate=20)).run()
    assert limited.hours == pytest.approx(200 / 20 / 60, rel=0.2)
    assert 0 < limited.refused <= 20 * 10
