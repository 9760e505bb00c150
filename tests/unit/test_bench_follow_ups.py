"""What `make bench-follow-ups` makes of dialogues; a script stands for the model here."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from bench_follow_ups import Asked, Dialogue, Way, ask, figures_of, read_dialogues

from api_world import SteadyModel, shop_services
from scripted_model import ScriptedModel, ScriptedReply
from text2sql.messages import EarlierTurn

NAMES = "```sql\nSELECT name FROM customers\n```"
COUNT = "```sql\nSELECT COUNT(*) FROM customers\n```"
WHOLE = "What are the names of all customers?"
LEANING = Dialogue(
    id="names",
    earlier=(EarlierTurn(question="How many customers are there?", sql="SELECT 7"),),
    follow_up="And their names?",
    whole=WHOLE,
    sql="SELECT name FROM customers",
)
ALONE = LEANING.model_copy(
    update={"id": "alone", "follow_up": "What are all customers called?", "whole": None}
)


def asked(folder: Path, dialogue: Dialogue, *replies: ScriptedReply, way: Way = "rewritten") -> Asked:
    services = shop_services(folder / "shop.db", SteadyModel())
    each = ask(dialogue, replace(services, model=ScriptedModel(replies)), way)
    assert isinstance(each, Asked)
    return each


def test_dialogues_are_told_apart_and_most_lean_on_what_went_before() -> None:
    dialogues = read_dialogues()
    assert len({each.id for each in dialogues}) == len(dialogues)
    assert sum(each.whole is not None for each in dialogues) >= 25


def test_figures_tell_rewrites_and_right_answers_apart(tmp_path: Path) -> None:
    figures = figures_of(
        [
            asked(tmp_path, LEANING, WHOLE, NAMES),
            asked(tmp_path, LEANING, "I cannot.", NAMES),
            asked(tmp_path, LEANING, WHOLE, COUNT),
            asked(tmp_path, ALONE, NAMES),
        ]
    )
    assert json.loads(json.dumps(figures)) == figures
    assert figures["rewrites_needed"] == figures["model_asked_for_one"] == 3
    assert (figures["rewrites_made_of_them"], figures["rewrites_made_without_need"]) == (2, 0)
    assert (figures["follow_ups_right"]["right"], figures["follow_ups_right"]["of"]) == (2, 3)
    assert (figures["others_right"]["right"], figures["others_right"]["of"]) == (1, 1)
    assert [each["read_as"] for each in figures["each"]] == [WHOLE, None, WHOLE, None]


@pytest.mark.parametrize("way", ["turns", "whole"])
def test_other_ways_ask_for_no_rewrite(tmp_path: Path, way: Way) -> None:
    each = asked(tmp_path, LEANING, NAMES, way=way)
    assert (each.result.correct, each.reply.read_as) == (True, None)
