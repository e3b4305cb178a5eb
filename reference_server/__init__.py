"""A token login that keeps every requirement, and the target of the suite's own tests.

`gunicorn 'reference_server:create_app()'` serves it with the settings in the environment.
"""

from reference_server.app import Collaborators, create_app
from reference_server.settings import DEMO_ACCOUNTS, DEMO_CLIENTS, Settings, SettingsError

__all__ = ["DEMO_ACCOUNTS", "DEMO_CLIENTS", "Collaborators", "Settings", "SettingsError", "create_app"]
