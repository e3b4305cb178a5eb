"""A hasher for the clients' secrets."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class ClientSecretHasher(PBKDF2PasswordHasher):
    """Every request to the token endpoint has its client's secret hashed; a person's password costs half a second."""

    algorithm = "pbkdf2_sha256_for_clients"
    iterations = 1000
