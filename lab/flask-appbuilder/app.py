"""A Flask-AppBuilder application with the library's own login API and a small API of its own behind it."""

import os
from pathlib import Path

from flask import Flask, g
from flask_appbuilder import AppBuilder
from flask_appbuilder.api import BaseApi, expose
from flask_appbuilder.security.decorators import protect
from flask_appbuilder.utils.legacy import get_sqla_class
from waitress import serve

ACCOUNTS = {"alice": "tea-with-the-hatter-71", "bob": "builds-a-bridge-by-noon-28"}

db = get_sqla_class()()
appbuilder = AppBuilder()


class ProfileApi(BaseApi):
    resource_name = "profile"

    @expose("/")
    @protect()
    def get(self):
        return self.response(200, id=g.user.id, username=g.user.username)


class DashboardApi(BaseApi):
    resource_name = "dashboard"

    @expose("/")
    @protect()
    def get(self):
        return self.response(200, username=g.user.username, unread=0)


def create_app():
    app = Flask(__name__)
    app.config["SECRET_KEY"] = os.environ.get("LAB_SECRET") or os.urandom(32).hex()
    for kind in ("ACCESS", "REFRESH"):
        if lifetime := os.environ.get(f"LAB_{kind}_LIFETIME"):
            app.config[f"JWT_{kind}_TOKEN_EXPIRES"] = int(lifetime)
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{Path(os.environ['LAB_DATA']).resolve() / 'app.db'}"
    db.init_app(app)
    with app.app_context():
        appbuilder.init_app(app, db.session)
        appbuilder.add_api(ProfileApi)
        appbuilder.add_api(DashboardApi)
        for name, password in ACCOUNTS.items():
            # As `flask fab create-admin` does
            role = appbuilder.sm.find_role(appbuilder.sm.auth_role_admin)
            appbuilder.sm.add_user(name, name.capitalize(), "Example", f"{name}@example.com", role, password)
    return app


if __name__ == "__main__":
    serve(create_app(), host="127.0.0.1", port=int(os.environ["PORT"]))
