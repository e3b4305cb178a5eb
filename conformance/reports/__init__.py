"""A set of verdicts, presented."""
