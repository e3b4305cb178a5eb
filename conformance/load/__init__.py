"""The same promises under load: the life of tokens as many users at once live it, on Locust."""
