"""All rows of the shop, made in one pass from one seed."""

from __future__ import annotations

import shop_company
import shop_people
from shop_after_sales import AfterSales
from shop_chance import Chance
from shop_ledger import Ledger
from shop_schema import Row
from shop_trade import Trade

SEED = 20260630


def generate_rows() -> dict[str, list[Row]]:
    """Return every table's rows, money and rates in whole hundredths."""
    ledger = Ledger()
    namer = shop_people.Namer(Chance(SEED))
    products = shop_company.add_products(ledger, Chance(SEED + 1))
    stores = shop_company.add_stores(ledger, Chance(SEED + 2), namer)
    promotions = shop_company.add_promotions(ledger)
    customers = shop_people.add_customers(ledger, Chance(SEED + 3), namer)
    after_sales = AfterSales(ledger, Chance(SEED + 4))
    trade = Trade(ledger, Chance(SEED + 5), customers, stores, promotions, products, after_sales)
    trade.run()
    shop_company.add_inventory(ledger, Chance(SEED + 6), stores, products)
    return ledger.rows
