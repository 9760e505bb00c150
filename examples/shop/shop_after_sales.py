"""What comes after a sale: returns and reviews."""

from __future__ import annotations

from dataclasses import dataclass

import shop_vocabulary as words
from shop_calendar import LAST, iso
from shop_chance import Chance, Weighted
from shop_company import Product
from shop_ledger import Ledger

REASON_SHARE = Weighted(zip(words.RETURN_REASONS, (34, 26, 14, 12, 9, 5), strict=True))
RATING_SHARE = Weighted(((1, 6), (2, 8), (3, 16), (4, 33), (5, 37)))
OPINIONS = (words.COMPLAINTS, words.COMPLAINTS, words.SHRUGS, words.PRAISE, words.PRAISE)


@dataclass(frozen=True)
class Line:
    """One line of an order; money in cents."""

    order_item_id: int
    product: Product
    quantity: int
    total: int


class AfterSales:
    """Writes returns and reviews; a customer reviews a product at most once."""

    def __init__(self, ledger: Ledger, chance: Chance) -> None:
        self._ledger = ledger
        self._chance = chance
        self._reviewed: set[tuple[int, int]] = set()

    def follow_up(self, customer_id: int, lines: list[Line], arrived: int, *, online: bool) -> None:
        """Write what a customer sends back or says about an order that arrived on a day."""
        for line in lines:
            if self._chance.happens(line.product.returns_percent * (1.4 if online else 0.6)):
                self._return(line, arrived + self._chance.between(2, 28))
            if self._chance.happens(10):
                self._review(customer_id, line.product, arrived + self._chance.between(1, 45))

    def _return(self, line: Line, day: int) -> None:
        if day > LAST:
            return
        quantity = self._chance.between(1, line.quantity)
        self._ledger.add(
            "product_returns",
            line.order_item_id,
            iso(day),
            quantity,
            self._chance.weighted(REASON_SHARE),
            line.total * quantity // line.quantity,
        )

    def _review(self, customer_id: int, product: Product, day: int) -> None:
        pair = (customer_id, product.product_id)
        if day > LAST or pair in self._reviewed:
            return
        self._reviewed.add(pair)
        rating = self._chance.weighted(RATING_SHARE)
        if self._chance.happens(40):
            rating = min(5, max(1, rating + product.quality))
        said = self._chance.pick(OPINIONS[rating - 1]) if self._chance.happens(60) else None
        self._ledger.add("reviews", product.product_id, customer_id, rating, said, iso(day))
