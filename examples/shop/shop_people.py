"""People: full names that nobody shares, and the customers."""

from __future__ import annotations

from dataclasses import dataclass

import shop_vocabulary as words
from shop_calendar import FIRST, LAST, NEVER, iso, ordinal
from shop_chance import Chance, Weighted
from shop_ledger import Ledger

CUSTOMERS = 6400
FIRST_SIGNUP = ordinal("2020-01-02")
SEGMENTS = Weighted((("Consumer", 81), ("Small Business", 14), ("Corporate", 5)))


GOLD_POINTS = 70
SILVER_POINTS = 35


@dataclass(frozen=True)
class Customer:
    """A customer as the order generator sees one; days as ordinals."""

    customer_id: int
    city: str
    country: str
    segment: str
    weight: int
    signup: int
    lapsed: int


class Namer:
    """Hands out names so that a first and last name together mean one person."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._taken: set[str] = set()
        self._first = {language: names.split() for language, names in words.FIRST_NAMES.items()}
        self._last = {language: names.split() for language, names in words.LAST_NAMES.items()}
        self._anywhere = [name for names in self._last.values() for name in names]

    def full_name(self, language: str) -> tuple[str, str]:
        """Return a first and a last name; the last may come from another country."""
        while True:
            at_home = self._chance.happens(55)
            first = self._chance.pick(self._first[language])
            last = self._chance.pick(self._last[language] if at_home else self._anywhere)
            key = words.plain(f"{first}.{last}")
            if key not in self._taken:
                self._taken.add(key)
                return first, last


def add_customers(ledger: Ledger, chance: Chance, namer: Namer) -> list[Customer]:
    """Write the customers in the order they signed up."""
    countries = Weighted((country, country.weight) for country in words.COUNTRIES)
    cities = {country.name: Weighted(country.cities) for country in words.COUNTRIES}
    # One in four came before the first recorded order.
    signups = sorted(
        chance.between(FIRST_SIGNUP, FIRST - 1) if chance.happens(25) else chance.between(FIRST, LAST)
        for _ in range(CUSTOMERS)
    )
    customers = []
    for signup in signups:
        country = chance.weighted(countries)
        city = chance.weighted(cities[country.name])
        segment = chance.weighted(SEGMENTS)
        weight = _appetite(chance, segment)
        first, last = namer.full_name(country.language)
        customer_id = ledger.add(
            "customers",
            first,
            last,
            f"{words.plain(first)}.{words.plain(last)}@mail.example",
            city,
            country.name,
            segment,
            _loyalty_tier(chance, weight),
            iso(signup),
        )
        lapsed = signup + chance.between(90, 900) if chance.happens(22) else NEVER
        customers.append(Customer(customer_id, city, country.name, segment, weight, signup, lapsed))
    return customers


def _appetite(chance: Chance, segment: str) -> int:
    """Return how often a customer buys: some never do, a few buy all the time."""
    if chance.happens(9):
        return 0
    weight = 600 // (chance.between(1, 60) + 5)
    return weight * 2 if segment == "Corporate" else weight


def _loyalty_tier(chance: Chance, weight: int) -> str | None:
    if chance.happens(42):
        return None
    points = weight + chance.below(40)
    return "Gold" if points > GOLD_POINTS else "Silver" if points > SILVER_POINTS else "Bronze"
