"""Makes the tables and the two accounts, and becomes the server of the project."""

import os
import sys

os.environ["DJANGO_SETTINGS_MODULE"] = "settings"

import django
from django.core.management import call_command

ACCOUNTS = {"alice": "tea-with-the-hatter-71", "bob": "builds-a-bridge-by-noon-28"}


def main():
    django.setup()
    call_command("migrate", verbosity=0)

    from django.contrib.auth.models import User  # noqa: PLC0415 - models exist once the project is set up

    for name, password in ACCOUNTS.items():
        User.objects.create_user(name, f"{name}@example.com", password)

    gunicorn = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{os.environ['PORT']}", "--threads", "8"]
    os.execv(sys.executable, [*gunicorn, "django.core.wsgi:get_wsgi_application()"])  # noqa: S606 - fixed words


if __name__ == "__main__":
    main()
