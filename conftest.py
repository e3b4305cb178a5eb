"""Lets `pytest` run the suite from a checkout, whether or not the package is installed."""

pytest_plugins = ["conformance.plugin"]
