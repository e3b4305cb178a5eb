"""An executable conformance suite for access/refresh token logins."""

__version__ = "0.1.0"
