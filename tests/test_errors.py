import pytest

from rpg import errors


def test_tree() -> None:
    kinds = [errors.LayoutError, errors.PlanError, errors.GenerationError, errors.PlannerError]
    assert all(kind.__bases__ == (errors.RPGError,) for kind in kinds)


@pytest.mark.parametrize("kind", [errors.RPGError, errors.PlanError])
def test_the_host_finds_status_and_detail_on_the_instance(kind: type[errors.RPGError]) -> None:
    error = kind("base_ratio is 2.")
    assert vars(error) == {"status_code": 422, "detail": "base_ratio is 2."}
    assert str(error) == "base_ratio is 2."
    assert kind("busy", status_code=503).status_code == 503
