"""The implementation under test, as a client sees it."""
