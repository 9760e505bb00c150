"""`text2sql cost`: what a month in the cloud costs, from prices in a file; AWS is not asked."""

from pathlib import Path

import click


@click.command()
@click.option(
    "--preset", default="dev", show_default=True, metavar="NAME", help="dev, prod, brief or brief-base."
)
@click.option(
    "--usage",
    "usage_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A YAML file with what is other than in the preset.",
)
@click.option(
    "--prices", "price_file", type=click.Path(path_type=Path), metavar="FILE", help="Prices of your own."
)
@click.option("--questions-per-day", type=float, metavar="N", help="How many questions are asked.")
@click.option("--model", metavar="NAME", help="A model that the prices know.")
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Anything else of a usage.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--show-prices", is_flag=True, help="Print the file of prices that comes with the package.")
def cost(  # noqa: PLR0913 — one argument for each option
    *,
    preset: str,
    usage_file: Path | None,
    price_file: Path | None,
    questions_per_day: float | None,
    model: str | None,
    changes: tuple[str, ...],
    as_json: bool,
    show_prices: bool,
) -> None:
    """Estimate the monthly bill of a deployment on AWS; see docs/cost.md.

    The prices that come with the package were not verified; give your own with --prices.
    """
    from text2sql.cost.bill import make_bill
    from text2sql.cost.prices import BUILT_IN, read_prices
    from text2sql.cost.table import show_bill, to_json
    from text2sql.cost.usage import read_usage

    if show_prices:
        click.echo(BUILT_IN.read_text("utf-8"), nl=False)
        return
    changed: dict[str, object] = {}
    for change in changes:
        name, equals, value = change.partition("=")
        if not equals:
            message = f"Write NAME=VALUE, not {change}."
            raise click.UsageError(message)
        changed[name] = value
    options = {"questions_per_day": questions_per_day, "model": model}
    changed |= {name: value for name, value in options.items() if value is not None}
    prices = read_prices(price_file)
    usage = read_usage(preset, usage_file, changed.items())
    bill = make_bill(usage, prices)
    click.echo((to_json if as_json else show_bill)(bill, usage, prices))
