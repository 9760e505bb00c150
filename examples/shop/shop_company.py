"""The shop itself: generators for products, stores, staff, promotions and stock."""

from __future__ import annotations

from dataclasses import dataclass

import shop_assortment as assortment
import shop_vocabulary as words
from shop_calendar import AS_OF, FIRST, FIRST_DAY, LAST, NEVER, iso, ordinal
from shop_chance import Chance
from shop_ledger import Ledger
from shop_people import Namer

KEPT_PERCENT = 78
HUNDRED_EUROS = 10_000


@dataclass(frozen=True)
class Product:
    """A product as the order generator sees it; prices in cents, days as ordinals."""

    product_id: int
    price: int
    popularity: int
    season: str
    trend: str
    returns_percent: int
    quality: int
    launched: int
    discontinued: int


@dataclass(frozen=True)
class Store:
    """A store with the people who sell there, as (employee_id, day hired)."""

    store_id: int
    city: str
    country: str
    opened: int
    sellers: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Promotion:
    """A promotion with its discount in percent."""

    promotion_id: int
    percent: int
    start: int
    end: int


def add_products(ledger: Ledger, chance: Chance) -> list[Product]:
    """Write categories, suppliers and products."""
    for supplier in assortment.SUPPLIERS:
        ledger.add(
            "suppliers",
            supplier.name,
            supplier.country,
            f"sales@{words.plain(supplier.name).replace(' ', '-')}.example",
            supplier.lead_time_days,
        )
    products = []
    for line in assortment.RANGES:
        category_id = ledger.add("categories", line.category, line.department)
        suppliers = [
            number
            for number, supplier in enumerate(assortment.SUPPLIERS, start=1)
            if line.department in supplier.departments.split()
        ]
        own = chance.shuffled(suppliers)[:3]
        for level, title in enumerate(line.lines.split()):
            for form, euros in line.forms:
                name = f"{title} {form}"
                if name in assortment.BEST_SELLERS or chance.happens(KEPT_PERCENT):
                    price = shelf_price(euros * assortment.LINE_PRICE_PERCENT[level])
                    row = (name, category_id, chance.pick(own), price)
                    products.append(_add_product(ledger, chance, line, row))
    return products


def shelf_price(cents: int) -> int:
    """Return the price in cents that a shop would print: 23.90, 119.00."""
    step, ending = (1000, 100) if cents >= HUNDRED_EUROS else (100, 10)
    return cents // step * step + step - ending


def _add_product(
    ledger: Ledger, chance: Chance, line: assortment.Range, row: tuple[str, int, int, int]
) -> Product:
    name, _, _, price = row
    launched = FIRST - chance.between(60, 1800)
    discontinued = NEVER
    steady = name in assortment.BEST_SELLERS or name in assortment.NEVER_SOLD
    if not steady and chance.happens(16):
        launched = FIRST + chance.between(30, LAST - FIRST - 60)
    if not steady and launched < FIRST and chance.happens(11):
        discontinued = FIRST + chance.between(120, LAST - FIRST - 30)
    # Rank-like skew, and dear things are bought less often.
    popularity = 40_000_000 // ((chance.between(1, 40) + 4) * (price + 4000))
    popularity *= assortment.BEST_SELLERS.get(name, 1)
    product_id = ledger.add(
        "products",
        *row,
        price * chance.between(38, 66) // 100,
        iso(launched),
        None if discontinued == NEVER else iso(discontinued),
    )
    return Product(
        product_id,
        price,
        0 if name in assortment.NEVER_SOLD else popularity,
        line.season,
        line.trend,
        line.returns_percent,
        chance.between(-1, 2),
        launched,
        discontinued,
    )


def add_stores(ledger: Ledger, chance: Chance, namer: Namer) -> list[Store]:
    """Write stores and employees: head office first, then each store's manager and team."""
    head_of_stores = _add_head_office(ledger, chance, namer)
    languages = {country.name: country.language for country in words.COUNTRIES}
    stores = []
    for site in words.STORE_SITES:
        store_id = ledger.add("stores", site.name, site.city, site.country, site.opened, site.area)
        opened = ordinal(site.opened)
        manager = ledger.add(
            "employees",
            *namer.full_name(languages[site.country]),
            "Store Manager",
            store_id,
            head_of_stores,
            iso(opened - chance.between(20, 90)),
        )
        sellers = [(manager, opened - 20)]
        for title, least in (("Sales Associate", 4), ("Stock Clerk", 1)):
            for number in range(least + chance.below(1 + site.area // 300)):
                hired = opened - 10 if number == 0 else chance.between(opened, LAST - 30)
                name = namer.full_name(languages[site.country])
                employee = ledger.add("employees", *name, title, store_id, manager, iso(hired))
                if title == "Sales Associate":
                    sellers.append((employee, hired))
        stores.append(Store(store_id, site.city, site.country, opened, tuple(sellers)))
    return stores


def _add_head_office(ledger: Ledger, chance: Chance, namer: Namer) -> int:
    """Write the people at head office and return the number of the head of stores."""
    founded = ordinal("2013-02-01")

    def hire(title: str, manager: int | None, hired: int) -> int:
        name = namer.full_name("german")
        return ledger.add("employees", *name, title, None, manager, iso(hired))

    chief = hire("Chief Executive", None, founded)
    heads = {
        title: hire(title, chief, founded + chance.between(30, 900))
        for title in ("Head of Stores", "Head of Online", "Head of Purchasing", "Head of Finance")
    }
    teams = (
        ("Head of Online", "Customer Service Agent", 8),
        ("Head of Online", "Web Merchandiser", 3),
        ("Head of Purchasing", "Buyer", 5),
        ("Head of Finance", "Accountant", 4),
    )
    for head, title, size in teams:
        for _ in range(size):
            hire(title, heads[head], chance.between(founded + 900, LAST - 40))
    return heads["Head of Stores"]


def add_promotions(ledger: Ledger) -> list[Promotion]:
    """Write each year's promotions up to the last day."""
    promotions = []
    for year in range(FIRST_DAY.year, AS_OF.year + 1):
        for campaign in words.CAMPAIGNS:
            start, end = ordinal(f"{year}-{campaign.start}"), ordinal(f"{year}-{campaign.end}")
            if end <= LAST:
                promotion_id = ledger.add(
                    "promotions",
                    f"{campaign.name} {year}",
                    campaign.percent,
                    iso(start),
                    iso(end),
                )
                promotions.append(Promotion(promotion_id, campaign.percent, start, end))
    return promotions


def add_inventory(ledger: Ledger, chance: Chance, stores: list[Store], products: list[Product]) -> None:
    """Write what lies in each store today: most of the range, some of it sold out."""
    for store in stores:
        counted = LAST - chance.between(1, 45)
        for product in products:
            listed = product.discontinued == NEVER
            if not chance.happens(74 if listed else 9):
                continue
            reorder_level = 4 + 200_000 // (product.price + 9000)
            on_hand = chance.between(1, reorder_level * 4)
            if chance.happens(5):
                on_hand = 0
            ledger.add(
                "inventory",
                store.store_id,
                product.product_id,
                on_hand,
                reorder_level,
                iso(max(counted, product.launched)),
            )
