"""What every index of documents must do; a test module derives a class and gives it a `world`."""

from collections.abc import Callable
from typing import Protocol

import pytest

from text2sql.documents.port import DocumentIndex, IndexedDocument, Section
from text2sql.errors import KnowledgeBaseUnavailable

ACTIVE = Section("Active customer", "An active customer has ordered in the last year.")
LOYAL = Section("Loyal customer", "A loyal customer has a loyalty tier.")
FREIGHT = Section("", "Parcels above 30 kg go by freight.")
WHO_IS_ACTIVE = "What is an active customer?"
WHO_IS_LOYAL = "What is a loyal customer?"


class World(Protocol):
    """An index and the service behind it."""

    def open(self, datasource: str = "shop") -> DocumentIndex:
        """Return the index of a datasource, as another process would open it."""
        ...

    def settle(self) -> None:
        """Have the service apply what was changed."""
        ...

    def keep_all(self) -> None:
        """Have the service delete nothing from now on."""
        ...

    def fail(self) -> None:
        """Have the service not answer those who open an index from now on."""
        ...


def document(name: str, *sections: Section, version: str = "1") -> IndexedDocument:
    return IndexedDocument(name=name, version=version, sections=len(sections))


def put(index: DocumentIndex, name: str, *sections: Section, version: str = "1") -> None:
    index.put(document(name, *sections, version=version), sections)


def told(index: DocumentIndex, question: str, limit: int = 5) -> list[str]:
    return [passage.text for passage in index.search(question, limit)]


class DocumentIndexContract:
    def test_sections_are_found_by_a_question(self, world: World) -> None:
        index = world.open()
        put(index, "customers.md", ACTIVE, LOYAL)
        put(index, "rules.txt", FREIGHT)
        world.settle()
        (first, *_) = index.search(WHO_IS_ACTIVE, 5)
        assert first.source == "document: customers.md, Active customer"
        assert first.text == 'Active customer: "An active customer has ordered in the last year."'
        (only,) = index.search("Do parcels above 30 kg go by freight?", 5)
        assert only.source == "document: rules.txt"
        assert only.text == 'A document says: "Parcels above 30 kg go by freight."'
        assert told(world.open(), WHO_IS_ACTIVE)[0] == first.text
        assert told(index, "How tall is Mount Everest?") == told(index, " ") == []

    def test_what_is_held_is_known(self, world: World) -> None:
        index = world.open()
        broken = IndexedDocument(name="broken.pdf", version="7", left_out=2, problem="It is broken.")
        put(index, "rules.txt", FREIGHT)
        index.put(broken, ())
        world.settle()
        assert index.known() == {"broken.pdf": broken, "rules.txt": document("rules.txt", FREIGHT)}
        assert world.open().known() == index.known()

    @pytest.mark.parametrize("version", ["1", "2"])
    def test_put_replaces(self, world: World, version: str) -> None:
        index = world.open()
        put(index, "customers.md", ACTIVE, FREIGHT)
        world.settle()
        world.keep_all()
        put(index, "customers.md", LOYAL, version=version)
        assert 'Active customer: "An active customer has ordered in the last year."' not in told(
            index, WHO_IS_ACTIVE
        )
        world.settle()
        assert told(index, "Do parcels above 30 kg go by freight?") == []
        assert told(index, WHO_IS_LOYAL) == ['Loyal customer: "A loyal customer has a loyalty tier."']
        assert index.known() == {"customers.md": document("customers.md", LOYAL, version=version)}

    @pytest.mark.parametrize("keeps_all", [False, True])
    def test_removed_document_is_never_told(self, world: World, *, keeps_all: bool) -> None:
        index = world.open()
        put(index, "customers.md", ACTIVE)
        put(index, "rules.txt", FREIGHT)
        world.settle()
        if keeps_all:
            world.keep_all()
        index.remove("customers.md")
        index.remove("nothing.md")
        assert told(index, WHO_IS_ACTIVE) == []
        world.settle()
        assert told(index, WHO_IS_ACTIVE) == []
        assert set(index.known()) == {"rules.txt"}
        assert len(told(index, "Do parcels above 30 kg go by freight?")) == 1

    def test_documents_of_another_datasource_are_never_found(self, world: World) -> None:
        shop, bank = world.open("shop"), world.open("bank")
        put(shop, "customers.md", ACTIVE)
        put(bank, "customers.md", LOYAL)
        world.settle()
        assert told(shop, WHO_IS_LOYAL, 1) == told(bank, WHO_IS_ACTIVE, 1) == []
        bank.remove("customers.md")
        world.settle()
        assert len(told(shop, WHO_IS_ACTIVE)) == 1

    def test_words_of_any_script_and_quotes_are_kept(self, world: World) -> None:
        index = world.open()
        name = "Übersicht (2025), Teil 1.md"
        put(index, name, Section("Stornoquote “brutto”", 'Anteil in %; "netto" zählt nicht: 退货率 🙂\n'))
        world.settle()
        (passage,) = index.search("Stornoquote “brutto” 退货率, \"'; --?", 5)
        assert passage.source == f"document: {name}, Stornoquote “brutto”"
        assert passage.text == "Stornoquote “brutto”: \"Anteil in %; 'netto' zählt nicht: 退货率 🙂\""
        assert set(index.known()) == {name}

    def test_no_more_are_told_than_asked_for_and_the_best_come_first(self, world: World) -> None:
        index = world.open()
        put(index, "a.md", *(Section("", f"An active customer of kind {n} pays.") for n in range(9)))
        world.settle()
        found = index.search("What does an active customer of kind 7 pay?", 3)
        assert len(found) == 3
        assert found[0].text == 'A document says: "An active customer of kind 7 pays."'
        assert found[0].score > found[1].score

    def test_empty_index_tells_nothing(self, world: World) -> None:
        index = world.open()
        assert index.known() == {}
        assert index.search(WHO_IS_ACTIVE, 5) == ()
        index.remove("nothing.md")
        put(index, "customers.md", ACTIVE)
        index.remove("customers.md")
        world.settle()
        assert index.search(WHO_IS_ACTIVE, 5) == ()

    @pytest.mark.parametrize(
        "call",
        [
            lambda index: put(index, "rules.txt", FREIGHT),
            lambda index: index.remove("customers.md"),
            lambda index: index.search(WHO_IS_ACTIVE, 5),
        ],
        ids=["put", "remove", "search"],
    )
    def test_service_that_does_not_answer_is_unavailable(
        self, world: World, call: Callable[[DocumentIndex], object]
    ) -> None:
        put(world.open(), "customers.md", ACTIVE)
        world.settle()
        world.fail()
        with pytest.raises(KnowledgeBaseUnavailable) as raised:
            call(world.open())
        assert raised.value.remedy
