"""Flask-JWT-Extended with its tokens in cookies, against whose misuse it has a CSRF value sent twice."""

import os

from flask import Flask, jsonify, request
from flask_jwt_extended import (
    JWTManager,
    create_access_token,
    create_refresh_token,
    get_jwt_identity,
    jwt_required,
    set_access_cookies,
    set_refresh_cookies,
    unset_jwt_cookies,
)
from waitress import serve
from werkzeug.security import check_password_hash, generate_password_hash

ACCOUNTS = {"alice": "tea-with-the-hatter-71", "bob": "builds-a-bridge-by-noon-28"}
# Stands for the users' table
PASSWORD_HASHES = {name: generate_password_hash(password) for name, password in ACCOUNTS.items()}

app = Flask(__name__)
app.config["JWT_TOKEN_LOCATION"] = ["cookies"]
app.config["JWT_SECRET_KEY"] = os.environ.get("LAB_SECRET") or os.urandom(32).hex()
for kind in ("ACCESS", "REFRESH"):
    if lifetime := os.environ.get(f"LAB_{kind}_LIFETIME"):
        app.config[f"JWT_{kind}_TOKEN_EXPIRES"] = int(lifetime)
JWTManager(app)


@app.post("/login")
def login():
    username = request.json.get("username", None)
    password = request.json.get("password", None)
    if username not in PASSWORD_HASHES or not check_password_hash(PASSWORD_HASHES[username], password):
        return jsonify({"msg": "Bad username or password"}), 401
    response = jsonify({"msg": "login successful"})
    set_access_cookies(response, create_access_token(identity=username))
    set_refresh_cookies(response, create_refresh_token(identity=username))
    return response


@app.post("/refresh")
@jwt_required(refresh=True)
def refresh():
    response = jsonify({"msg": "refresh successful"})
    set_access_cookies(response, create_access_token(identity=get_jwt_identity()))
    return response


@app.post("/logout")
def logout():
    response = jsonify({"msg": "logout successful"})
    unset_jwt_cookies(response)
    return response


@app.route("/protected", methods=["GET", "POST"])
@jwt_required()
def protected():
    return jsonify(logged_in_as=get_jwt_identity())


if __name__ == "__main__":
    serve(app, host="127.0.0.1", port=int(os.environ["PORT"]))
