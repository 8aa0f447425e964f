"""What models write becomes the right plan, or the right sentence."""

import pytest

from rpg.errors import ReplyError
from rpg.planners.reply import read_reply
from tests.planners.replies import Record, matches, records

RECORDS = records()


def test_corpus_is_large_and_its_names_differ():
    assert len(RECORDS) >= 150
    assert len({record.name for record in RECORDS}) == len(RECORDS)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
def test_reply(record: Record):
    if record.error:
        with pytest.raises(ReplyError) as caught:
            read_reply(record.reply, record.caption, "test")
        assert record.error in str(caught.value)
        assert caught.value.raw == record.reply
        return
    plan = read_reply(record.reply, record.caption, "test")
    prompts = [region.prompt for region in plan.regions]
    assert len(prompts) == len(record.prompts), prompts
    assert [prompt for expected, prompt in zip(record.prompts, prompts, strict=True) if not matches(expected, prompt)] == []
    assert (plan.split_ratio, plan.base_ratio, plan.base_prompt) == (record.ratio, record.base_ratio, record.base_prompt)
    assert (plan.caption, plan.planned_by) == (record.caption, "test")
    assert record.notes in plan.notes
