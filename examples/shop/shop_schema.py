"""The shop's tables, columns and keys; how each database spells them is in shop_ddl."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["id", "integer", "text", "date", "money", "rate"]
Value = int | str | None
Row = tuple[Value, ...]

HUNDREDTHS: frozenset[Kind] = frozenset({"money", "rate"})


@dataclass(frozen=True)
class Column:
    """One column; money and rate values travel as whole hundredths until they are written."""

    name: str
    kind: Kind
    length: int = 0
    nullable: bool = False
    references: str | None = None


@dataclass(frozen=True)
class Table:
    """One table; its first column is the primary key."""

    name: str
    columns: tuple[Column, ...]
    unique: tuple[tuple[str, ...], ...] = ()
    indexed: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Name of the primary key column."""
        return self.columns[0].name


def _id(name: str) -> Column:
    return Column(name, "id")


def _whole(name: str) -> Column:
    return Column(name, "integer")


def _text(name: str, length: int, *, nullable: bool = False) -> Column:
    return Column(name, "text", length=length, nullable=nullable)


def _date(name: str, *, nullable: bool = False) -> Column:
    return Column(name, "date", nullable=nullable)


def _money(name: str) -> Column:
    return Column(name, "money")


def _link(name: str, table: str, *, nullable: bool = False) -> Column:
    return Column(name, "id", nullable=nullable, references=table)


# In an order that lets every foreign key find its row.
TABLES: tuple[Table, ...] = (
    Table(
        "categories",
        (_id("category_id"), _text("category_name", 40), _text("department", 40)),
        unique=(("category_name",),),
    ),
    Table(
        "suppliers",
        (
            _id("supplier_id"),
            _text("supplier_name", 60),
            _text("country", 40),
            _text("contact_email", 80),
            _whole("lead_time_days"),
        ),
        unique=(("supplier_name",),),
    ),
    Table(
        "products",
        (
            _id("product_id"),
            _text("product_name", 80),
            _link("category_id", "categories"),
            _link("supplier_id", "suppliers"),
            _money("list_price"),
            _money("unit_cost"),
            _date("launch_date"),
            _date("discontinued_date", nullable=True),
        ),
        unique=(("product_name",),),
    ),
    Table(
        "stores",
        (
            _id("store_id"),
            _text("store_name", 60),
            _text("city", 40),
            _text("country", 40),
            _date("opened_date"),
            _whole("floor_area_sqm"),
        ),
        unique=(("store_name",),),
    ),
    Table(
        "employees",
        (
            _id("employee_id"),
            _text("first_name", 40),
            _text("last_name", 40),
            _text("job_title", 40),
            _link("store_id", "stores", nullable=True),
            _link("manager_id", "employees", nullable=True),
            _date("hire_date"),
        ),
    ),
    Table(
        "promotions",
        (
            _id("promotion_id"),
            _text("promotion_name", 60),
            Column("discount_rate", "rate"),
            _date("start_date"),
            _date("end_date"),
        ),
        unique=(("promotion_name",),),
    ),
    Table(
        "customers",
        (
            _id("customer_id"),
            _text("first_name", 40),
            _text("last_name", 40),
            _text("email", 100),
            _text("city", 40),
            _text("country", 40),
            _text("segment", 20),
            _text("loyalty_tier", 10, nullable=True),
            _date("signup_date"),
        ),
        unique=(("email",),),
    ),
    Table(
        "orders",
        (
            _id("order_id"),
            _link("customer_id", "customers"),
            _date("order_date"),
            _text("status", 20),
            _text("channel", 10),
            _link("store_id", "stores", nullable=True),
            _link("employee_id", "employees", nullable=True),
            _link("promotion_id", "promotions", nullable=True),
        ),
        indexed=("order_date",),
    ),
    Table(
        "order_items",
        (
            _id("order_item_id"),
            _link("order_id", "orders"),
            _link("product_id", "products"),
            _whole("quantity"),
            _money("unit_price"),
            Column("discount", "rate"),
            _money("line_total"),
        ),
    ),
    Table(
        "payments",
        (
            _id("payment_id"),
            _link("order_id", "orders"),
            _date("payment_date"),
            _text("payment_method", 20),
            _money("amount"),
        ),
    ),
    Table(
        "shipments",
        (
            _id("shipment_id"),
            _link("order_id", "orders"),
            _text("carrier", 40),
            _date("shipped_date"),
            _date("promised_date"),
            _date("delivered_date", nullable=True),
            _money("shipping_cost"),
        ),
    ),
    Table(
        "product_returns",
        (
            _id("product_return_id"),
            _link("order_item_id", "order_items"),
            _date("return_date"),
            _whole("quantity"),
            _text("reason", 40),
            _money("refund_amount"),
        ),
    ),
    Table(
        "inventory",
        (
            _id("inventory_id"),
            _link("store_id", "stores"),
            _link("product_id", "products"),
            _whole("quantity_on_hand"),
            _whole("reorder_level"),
            _date("last_counted_date"),
        ),
        unique=(("store_id", "product_id"),),
    ),
    Table(
        "reviews",
        (
            _id("review_id"),
            _link("product_id", "products"),
            _link("customer_id", "customers"),
            _whole("rating"),
            _text("review_text", 200, nullable=True),
            _date("review_date"),
        ),
        unique=(("customer_id", "product_id"),),
    ),
)
KEYS: Mapping[str, str] = {table.name: table.key for table in TABLES}
