"""Orders and what follows from them: lines, payments and shipments."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from itertools import accumulate

import shop_vocabulary as words
from shop_after_sales import AfterSales, Line
from shop_calendar import (
    FIRST,
    LAST,
    NEVER,
    ORDERS_PER_DAY,
    SEASON_WEIGHT,
    TREND_WEIGHT,
    day_weight,
    iso,
)
from shop_chance import Chance, Weighted
from shop_company import Product, Promotion, Store
from shop_ledger import Ledger
from shop_people import Customer

ONLINE_PERCENT = {2023: 47, 2024: 52, 2025: 57, 2026: 60}
PRICE_PERCENT = {2023: 94, 2024: 97, 2025: 100, 2026: 100}
LINES = Weighted(((1, 40), (2, 28), (3, 17), (4, 9), (5, 6)))
QUANTITY = Weighted(((1, 78), (2, 15), (3, 5), (4, 2)))
BUSINESS_QUANTITY = Weighted(((1, 40), (2, 25), (4, 15), (6, 12), (10, 8)))
GOODWILL = Weighted(((0, 93), (5, 4), (10, 3)))
ONLINE_METHODS = Weighted((("card", 55), ("e-wallet", 33), ("bank transfer", 12)))
STORE_METHODS = Weighted((("card", 68), ("cash", 24), ("e-wallet", 8)))
CARRIER_SHARE = Weighted(zip(words.CARRIERS, (42, 28, 19, 11), strict=True))
CARRIER_DELAY = dict(zip(words.CARRIERS, (0, 1, 0, 2), strict=True))
TRANSIT_DAYS = Weighted(((1, 24), (2, 38), (3, 22), (4, 9), (5, 4), (7, 2), (10, 1)))
PROMISED_DAYS = 5
GIFT_CARDS = (2000, 2500, 5000)


@dataclass(frozen=True)
class Parcel:
    """How an online order travels; days as ordinals, after the last day if not yet."""

    carrier: str
    shipped: int
    delivered: int


@dataclass
class Trade:
    """Everything an order is made from."""

    ledger: Ledger
    chance: Chance
    customers: list[Customer]
    stores: list[Store]
    promotions: list[Promotion]
    products: list[Product]
    after_sales: AfterSales

    def __post_init__(self) -> None:
        """Prepare the tables that are drawn from for every order."""
        self.signups = [customer.signup for customer in self.customers]
        self.appetite = list(accumulate(customer.weight for customer in self.customers))
        self.near: dict[str, list[Store]] = defaultdict(list)
        for store in self.stores:
            self.near[store.country].append(store)

    def run(self) -> None:
        """Write every order from the first day to the last."""
        shelf: Weighted[Product] = Weighted(())
        for day in range(FIRST, LAST + 1):
            today = date.fromordinal(day)
            if today.day == 1:
                shelf = self._shelf(today)
            noise = self.chance.between(84, 116) * 10_000 * ORDERS_PER_DAY
            orders = day_weight(today) * noise // 1_000_000 + self.chance.below(1_000_000)
            for _ in range(orders // 1_000_000):
                self._place_order(day, today.year, shelf)

    def _shelf(self, first: date) -> Weighted[Product]:
        """Return what can be bought in a month, by season, trend and popularity."""
        day = first.toordinal()
        return Weighted(
            (
                product,
                product.popularity
                * SEASON_WEIGHT[product.season][first.month - 1]
                * TREND_WEIGHT[product.trend][first.year],
            )
            for product in self.products
            if product.launched <= day and product.discontinued > day + 31
        )

    def _customer(self, day: int) -> Customer:
        """Return a customer who has signed up and not gone away."""
        limit = self.appetite[bisect_right(self.signups, day) - 1]
        while True:
            customer = self.customers[bisect_right(self.appetite, self.chance.below(limit))]
            if day < customer.lapsed:
                return customer

    def _store(self, customer: Customer, day: int, online_percent: int) -> Store | None:
        """Return the store of an order, None for an online order."""
        if self.chance.happens(online_percent):
            return None
        near = [store for store in self.near[customer.country] if store.opened <= day]
        home = [store for store in near if store.city == customer.city]
        if home:
            return home[0]
        return self.chance.pick(near) if near and self.chance.happens(55) else None

    def _place_order(self, day: int, year: int, shelf: Weighted[Product]) -> None:
        """Write one order and everything that follows from it."""
        customer = self._customer(day)
        store = self._store(customer, day, ONLINE_PERCENT[year])
        promotion = self._promotion(day)
        parcel = None if store else self._parcel(day)
        cancelled = self.chance.happens(1 if store else 6)
        status = "cancelled" if cancelled else _status(parcel)
        order_id = self.ledger.add(
            "orders",
            customer.customer_id,
            iso(day),
            status,
            "store" if store else "online",
            store.store_id if store else None,
            self._seller(store, day) if store else None,
            promotion.promotion_id if promotion else None,
        )
        if cancelled:
            return
        percent = promotion.percent if promotion else 0
        lines = self._add_lines(order_id, customer, shelf, percent, year)
        self._pay(order_id, day, customer, store, sum(line.total for line in lines))
        if parcel:
            self._ship(order_id, day, parcel)
        if status == "completed":
            arrived = parcel.delivered if parcel else day
            self.after_sales.follow_up(customer.customer_id, lines, arrived, online=parcel is not None)

    def _promotion(self, day: int) -> Promotion | None:
        """Return the promotion that an order uses; not everybody does."""
        running = next((p for p in self.promotions if p.start <= day <= p.end), None)
        return running if running and self.chance.happens(65) else None

    def _seller(self, store: Store, day: int) -> int:
        return self.chance.pick([who for who, hired in store.sellers if hired <= day])

    def _parcel(self, day: int) -> Parcel:
        """Return how an online order travels; a lost parcel never arrives."""
        carrier = self.chance.weighted(CARRIER_SHARE)
        days = self.chance.weighted(TRANSIT_DAYS) + self.chance.below(CARRIER_DELAY[carrier] + 1)
        shipped = day + self.chance.between(0, 2)
        return Parcel(carrier, shipped, NEVER if self.chance.happens(0.3) else shipped + days)

    def _add_lines(
        self,
        order_id: int,
        customer: Customer,
        shelf: Weighted[Product],
        percent: int,
        year: int,
    ) -> list[Line]:
        chance = self.chance
        quantities = QUANTITY if customer.segment == "Consumer" else BUSINESS_QUANTITY
        wanted = {chance.weighted(shelf): None for _ in range(chance.weighted(LINES))}
        lines = []
        for product in wanted:
            price = product.price * PRICE_PERCENT[year] // 1000 * 10
            quantity = chance.weighted(quantities)
            discount = percent or chance.weighted(GOODWILL)
            total = (quantity * price * (100 - discount) + 50) // 100
            item = self.ledger.add(
                "order_items", order_id, product.product_id, quantity, price, discount, total
            )
            lines.append(Line(item, product, quantity, total))
        return lines

    def _pay(self, order_id: int, day: int, customer: Customer, store: Store | None, due: int) -> None:
        """Write one payment, or two when a gift card covers a part."""
        chance = self.chance
        method = chance.weighted(STORE_METHODS if store else ONLINE_METHODS)
        if customer.segment != "Consumer" and store is None and chance.happens(50):
            method = "bank transfer"
        if due > GIFT_CARDS[-1] and chance.happens(4):
            part = chance.pick(GIFT_CARDS)
            self.ledger.add("payments", order_id, iso(day), "gift card", min(part, due - 100))
            due -= min(part, due - 100)
        paid = day + chance.between(1, 5) if method == "bank transfer" else day
        if paid <= LAST:
            self.ledger.add("payments", order_id, iso(paid), method, due)

    def _ship(self, order_id: int, day: int, parcel: Parcel) -> None:
        if parcel.shipped > LAST:
            return
        self.ledger.add(
            "shipments",
            order_id,
            parcel.carrier,
            iso(parcel.shipped),
            iso(day + PROMISED_DAYS),
            None if parcel.delivered > LAST else iso(parcel.delivered),
            self.chance.between(390, 990),
        )


def _status(parcel: Parcel | None) -> str:
    """Return the status of an order that was not cancelled, as of the last day."""
    if parcel is None or parcel.delivered <= LAST:
        return "completed"
    return "shipped" if parcel.shipped <= LAST else "processing"
