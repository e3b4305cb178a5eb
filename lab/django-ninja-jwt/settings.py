"""What `django-admin startproject` writes, less what an API without pages needs not, for django-ninja-jwt."""

import os
from datetime import timedelta
from pathlib import Path

from django.core.management.utils import get_random_secret_key

SECRET_KEY = os.environ.get("LAB_SECRET") or get_random_secret_key()
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "ninja_extra",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "urls"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": Path(os.environ["LAB_DATA"]) / "db.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TIME_ZONE = "UTC"

# Every setting of the library is its default, unless the lab asks for other lifetimes.
NINJA_JWT = {
    f"{kind}_TOKEN_LIFETIME": timedelta(seconds=int(lifetime))
    for kind in ("ACCESS", "REFRESH")
    if (lifetime := os.environ.get(f"LAB_{kind}_LIFETIME"))
}
