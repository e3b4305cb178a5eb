"""Flask-JWT-Extended's documented login, refresh, protected route and blocklist, put together."""

import os
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask, jsonify, request
from flask_jwt_extended import (
    JWTManager,
    create_access_token,
    create_refresh_token,
    current_user,
    get_jwt,
    get_jwt_identity,
    jwt_required,
)
from flask_sqlalchemy import SQLAlchemy
from waitress import serve
from werkzeug.security import check_password_hash, generate_password_hash

ACCOUNTS = {"alice": "tea-with-the-hatter-71", "bob": "builds-a-bridge-by-noon-28"}

app = Flask(__name__)
app.config["JWT_SECRET_KEY"] = os.environ.get("LAB_SECRET") or os.urandom(32).hex()
for kind in ("ACCESS", "REFRESH"):
    if lifetime := os.environ.get(f"LAB_{kind}_LIFETIME"):
        app.config[f"JWT_{kind}_TOKEN_EXPIRES"] = int(lifetime)
app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{Path(os.environ['LAB_DATA']).resolve() / 'app.db'}"
jwt = JWTManager(app)
db = SQLAlchemy(app)


class User(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    username = db.Column(db.Text, nullable=False, unique=True)
    password_hash = db.Column(db.Text, nullable=False)


class TokenBlocklist(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    jti = db.Column(db.String(36), nullable=False, index=True)
    type = db.Column(db.String(16), nullable=False)
    created_at = db.Column(db.DateTime, nullable=False)


@jwt.user_lookup_loader
def find_user(_header, payload):
    return User.query.filter_by(username=payload["sub"]).one_or_none()


@jwt.token_in_blocklist_loader
def is_revoked(_header, payload):
    return db.session.query(TokenBlocklist.id).filter_by(jti=payload["jti"]).scalar() is not None


@app.post("/login")
def login():
    username = request.json.get("username", None)
    password = request.json.get("password", None)
    user = User.query.filter_by(username=username).one_or_none()
    if user is None or not check_password_hash(user.password_hash, password):
        return jsonify({"msg": "Bad username or password"}), 401
    return jsonify(
        access_token=create_access_token(identity=username),
        refresh_token=create_refresh_token(identity=username),
    )


@app.post("/refresh")
@jwt_required(refresh=True)
def refresh():
    return jsonify(access_token=create_access_token(identity=get_jwt_identity()))


@app.delete("/logout")
@jwt_required(verify_type=False)
def logout():
    """Ends the one token that was shown; a client calls it once with each."""
    token = get_jwt()
    db.session.add(TokenBlocklist(jti=token["jti"], type=token["type"], created_at=datetime.now(UTC)))
    db.session.commit()
    return jsonify(msg=f"{token['type'].capitalize()} token revoked")


@app.get("/protected")
@jwt_required()
def protected():
    return jsonify(logged_in_as=get_jwt_identity())


@app.get("/who_am_i")
@jwt_required()
def who_am_i():
    return jsonify(id=current_user.id, username=current_user.username)


if __name__ == "__main__":
    with app.app_context():
        db.create_all()
        for name, password in ACCOUNTS.items():
            db.session.add(User(username=name, password_hash=generate_password_hash(password)))
        db.session.commit()
    serve(app, host="127.0.0.1", port=int(os.environ["PORT"]))
