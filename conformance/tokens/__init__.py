"""Reading a token without trusting it, forging one, and the keys the suite holds."""
