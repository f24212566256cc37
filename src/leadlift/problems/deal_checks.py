"""What to know of deals that can be used: names that nearly agree, rows that name no organisation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadlift.base.problems import share
from leadlift.base.records import Check, RowAccount

SHOWN = 3
# Fewer rows without an organisation or a product than this are told in the row account alone.
TOLD = 0.01


def deal_checks(organisations: Any, products: Any, account: RowAccount) -> tuple[Check, ...]:
    """Everything to know beside the numbers; products are named, organisations only counted."""
    return (_product_names(products), *_organisation_names(organisations), *_missing(account))


def _alike(names: Any) -> list[list[str]]:
    """Names that differ by case or blanks only."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(" ".join(name.split()).casefold(), []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def _product_names(products: Any) -> Check:
    """Told, never merged."""
    groups = _alike(products)
    if not groups:
        return Check("product-names", "pass", 0, "no two product names differ by case or blanks only")
    shown = "; ".join(" = ".join(f"`{name}`" for name in names) for names in groups[:SHOWN])
    more = f" and {len(groups) - SHOWN:,} more" if len(groups) > SHOWN else ""
    words = (
        f"names that differ by case or blanks only are kept apart: {shown}{more}; unite them if they are one product"
    )
    return Check("product-names", "warn", len(groups), words)


def _organisation_names(organisations: Any) -> list[Check]:
    many = sum(map(len, _alike(organisations)))
    if not many:
        return []
    words = (
        f"{many:,} identifiers of organisations differ from another's by case or blanks only and are kept apart; "
        "unite them if they are one organisation"
    )
    return [Check("organisation-names", "warn", many, words)]


def _missing(account: RowAccount) -> list[Check]:
    found = []
    dropped: Mapping[str, int] = account.dropped
    for reason, word in (("no_organisation", "organisation"), ("no_product", "product")):
        gone = dropped.get(reason, 0)
        if gone > TOLD * account.read:
            words = f"{share(gone, account.read)} name no {word} and are left out: what they bought is not known"
            if word == "product":
                words = f"{share(gone, account.read)} name no product and are left out"
            found.append(Check(f"{word}s-missing", "warn", gone, words))
    return found
