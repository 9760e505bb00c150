"""What `make bench-values` works out by itself; it starts no server here."""

from bench_values import Linked, figures_of

CITY = ("orders", "city", "aberdeen")
NAME = ("people", "name", "ada")


def _linked(*notes: frozenset[tuple[str, str, str]], needed: frozenset[tuple[str, str, str]]) -> Linked:
    return Linked(needed=needed, stored=needed - {NAME}, notes=notes, milliseconds=2.0, is_refused=not notes)


def test_note_counts_as_right_when_one_of_its_places_is_needed() -> None:
    both = _linked(frozenset({CITY, ("shops", "city", "aberdeen")}), needed=frozenset({CITY, NAME}))
    assert (both.found, both.wrong) == (frozenset({CITY}), 0)
    other = _linked(frozenset({NAME}), needed=frozenset({CITY}))
    assert (other.found, other.wrong) == (frozenset(), 1)


def test_figures_count_texts_and_notes_over_all_questions() -> None:
    right = _linked(frozenset({CITY}), needed=frozenset({CITY, NAME}))
    wrong = _linked(frozenset({NAME}), needed=frozenset())
    figures = figures_of([right, wrong, _linked(needed=frozenset({CITY})), _linked(needed=frozenset())])
    shares = ("of_them_in_the_index", "of_them_linked", "notes_that_the_gold_needs")
    told = [figures[name] for name in shares]
    assert [each["count"] for each in told if isinstance(each, dict)] == [2, 1, 1]
    assert [each["percent"] for each in told if isinstance(each, dict)] == [66.67, 33.33, 50.0]
    assert (figures["questions"], figures["texts_needed"], figures["notes"]) == (4, 3, 2)
    assert (figures["other_notes_per_100_questions"], figures["gold_statements_refused"]) == (25.0, 2)
