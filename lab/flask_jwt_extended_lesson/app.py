"""A login with access and refresh tokens, written with Flask-JWT-Extended's documentation at hand."""

import os
from datetime import timedelta

from flask import Flask, jsonify, request
from flask_jwt_extended import (
    JWTManager,
    create_access_token,
    create_refresh_token,
    get_jwt_identity,
    jwt_required,
)

app = Flask(__name__)
app.config["JWT_SECRET_KEY"] = os.environ["JWT_SECRET_KEY"]
app.config["JWT_ACCESS_TOKEN_EXPIRES"] = timedelta(minutes=15)
app.config["JWT_REFRESH_TOKEN_EXPIRES"] = timedelta(hours=1)
# FLASK_JWT_ACCESS_TOKEN_EXPIRES=5 makes it five seconds, and so on
app.config.from_prefixed_env()
JWTManager(app)

# Stands for the users' table
PASSWORDS = {
    "alice": "tea-with-the-hatter-71",
    "bob": "builds-a-bridge-by-noon-28",
}


@app.post("/login")
def login():
    username = request.json.get("username")
    password = request.json.get("password")
    if username not in PASSWORDS or PASSWORDS[username] != password:
        return jsonify({"msg": "Wrong username or password"}), 401
    return jsonify(
        {
            "access_token": create_access_token(identity=username),
            "refresh_token": create_refresh_token(identity=username),
        }
    )


@app.post("/refresh")
@jwt_required(refresh=True)
def refresh():
    return jsonify({"access_token": create_access_token(identity=get_jwt_identity())})


@app.get("/profile")
@jwt_required()
def profile():
    return jsonify({"username": get_jwt_identity()})
