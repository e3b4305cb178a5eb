"""The forging table: every way to alter or forge a token, by the requirement that it serves.

A row makes one string out of genuine material, and whatever it makes must buy nothing. A family is the rows of one
requirement, and what else varies among its tokens: how the header names the key, for one. With what a row is tried is
not the table's affair (see `conformance.scenarios.forgeries`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conformance.tokens.forging.alterations import TYP_FORMS, altered, broken_copies, unsigned
from conformance.tokens.forging.ecdsa import degenerate
from conformance.tokens.forging.encrypted import ENCRYPTIONS, encrypted
from conformance.tokens.forging.foreign_keys import (
    FAMILIES,
    HMAC_FACTOR,
    confused,
    embedded,
    foreign_key,
    hostile_kid,
    key_urls,
)
from conformance.tokens.forging.forms import miscounted, respelt, serialised
from conformance.tokens.forging.minted import ambiguous, another_algorithm, critical
from conformance.tokens.forging.table import Family, Material, Needs, Row

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["TABLE", "Family", "Material", "Needs", "Row", "broken_copies", "listed"]

_FAMILIES: Final = (
    Family("SIG-01", altered, twice=True),
    Family("SIG-02", unsigned, varies_kid=True, factors={"typ": TYP_FORMS}),
    Family("SIG-03", foreign_key, twice=True, varies_kid=True),
    Family("SIG-05", confused, varies_kid=True, needs_public_key=True, factors={"hash": HMAC_FACTOR}),
    Family("SIG-06", embedded, varies_kid=True),
    Family("SIG-07", key_urls, factors={"algorithm": tuple(FAMILIES)}),
    Family("SIG-08", hostile_kid),
    Family("SIG-09", another_algorithm, varies_kid=True),
    Family("SIG-10", critical),
    Family("SIG-11", serialised),
    Family("SIG-12", miscounted),
    Family("SIG-13", respelt, respells_signature=True),
    Family("SIG-14", ambiguous),
    Family("SIG-15", encrypted, varies_kid=True, needs_public_key=True, factors={"enc": tuple(ENCRYPTIONS)}),
    Family("SIG-17", degenerate),
)
TABLE: Final = {family.serves: family for family in _FAMILIES}
"""The families by requirement. SIG-16 and SIG-19 are about what a token costs: see `heavy`."""


def listed(material: Material) -> Iterator[tuple[str, str, Needs]]:
    """The whole table for a target with such tokens: requirement, row, and what a forger needs for it."""
    for family in _FAMILIES:
        for row in family.rows(material):
            yield family.serves, row.name, row.needs
