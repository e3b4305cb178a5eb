"""Loads and makes, once for all runs, what each of them would load and make for itself."""

from __future__ import annotations

import gc
import importlib
import pkgutil

import freezegun.api  # noqa: F401 - loaded late by the suite
import trustme  # noqa: F401 - as above

import conformance.reports.terminal
import conformance.scenarios
import reference_server.serve  # noqa: F401 - as above
from conformance.catalogue import load as load_catalogue
from conformance.tokens import keys
from reference_server.faults import load as load_faults

for module in pkgutil.iter_modules(conformance.scenarios.__path__):
    importlib.import_module(f"conformance.scenarios.{module.name}")
load_catalogue()
load_faults()
for family in ("RS", "ES", "Ed"):
    keys.own_key(family)
    keys.own_certificate(family)
# What is there now stays: no run need look through it for garbage, or copy its pages.
gc.collect()
gc.freeze()
