from __future__ import annotations

from models_py.base.plurals import many, plural


def test_plurals() -> None:
    nouns = ("category", "day", "bus", "basket")
    assert [many(noun) for noun in nouns] == ["categories", "days", "buses", "baskets"]
    assert plural(1, "row") == "1 row"
    assert plural(1200, "category") == "1,200 categories"
