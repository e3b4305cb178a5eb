"""Faults in signing tokens and in checking signatures."""

from reference_server.faults.sig import costs, encryption, forms, issuing, keys, look_up, signatures

__all__ = ["costs", "encryption", "forms", "issuing", "keys", "look_up", "signatures"]
