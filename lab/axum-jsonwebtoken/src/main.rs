//! axum's example of a login with jsonwebtoken, and the refresh token that it leaves to its readers.

use std::{
    env,
    sync::LazyLock,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Json, RequestPartsExt, Router,
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use axum_extra::{
    TypedHeader,
    headers::{Authorization, authorization::Bearer},
};
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Stands for the users' table.
const CLIENTS: [(&str, &str); 2] = [
    ("alice", "tea-with-the-hatter-71"),
    ("bob", "builds-a-bridge-by-noon-28"),
];

static KEYS: LazyLock<(EncodingKey, DecodingKey)> = LazyLock::new(|| {
    let secret = env::var("LAB_SECRET").map_or_else(|_| random(), String::into_bytes);
    (
        EncodingKey::from_secret(&secret),
        DecodingKey::from_secret(&secret),
    )
});
static ACCESS_LIFETIME: LazyLock<u64> = LazyLock::new(|| setting("LAB_ACCESS_LIFETIME", 15 * 60));
static REFRESH_LIFETIME: LazyLock<u64> =
    LazyLock::new(|| setting("LAB_REFRESH_LIFETIME", 7 * 24 * 60 * 60));

#[derive(Deserialize, Serialize)]
struct Claims {
    sub: String,
    exp: u64,
}

#[derive(Deserialize)]
struct Credentials {
    client_id: String,
    client_secret: String,
}

#[derive(Deserialize)]
struct RefreshRequest {
    refresh_token: String,
}

enum AuthError {
    MissingCredentials,
    WrongCredentials,
    TokenCreation,
    InvalidToken,
}

#[tokio::main]
async fn main() {
    let app = Router::new()
        .route("/authorize", post(authorize))
        .route("/refresh", post(refresh))
        .route("/protected", get(protected));
    let port = setting("PORT", 3000);
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}"))
        .await
        .unwrap();
    axum::serve(listener, app).await.unwrap();
}

async fn authorize(Json(given): Json<Credentials>) -> Result<Json<Value>, AuthError> {
    if given.client_id.is_empty() || given.client_secret.is_empty() {
        return Err(AuthError::MissingCredentials);
    }
    if !CLIENTS.contains(&(&given.client_id, &given.client_secret)) {
        return Err(AuthError::WrongCredentials);
    }
    Ok(Json(json!({
        "access_token": token(&given.client_id, *ACCESS_LIFETIME)?,
        "refresh_token": token(&given.client_id, *REFRESH_LIFETIME)?,
        "token_type": "Bearer",
    })))
}

async fn refresh(Json(given): Json<RefreshRequest>) -> Result<Json<Value>, AuthError> {
    let claims = read(&given.refresh_token)?;
    Ok(Json(json!({
        "access_token": token(&claims.sub, *ACCESS_LIFETIME)?,
        "token_type": "Bearer",
    })))
}

async fn protected(claims: Claims) -> Json<Value> {
    Json(json!({ "sub": claims.sub, "message": "Welcome to the protected area" }))
}

/// A handler that takes `Claims` is one that wants a token.
impl<S: Send + Sync> FromRequestParts<S> for Claims {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, AuthError> {
        let TypedHeader(Authorization(bearer)) = parts
            .extract::<TypedHeader<Authorization<Bearer>>>()
            .await
            .map_err(|_| AuthError::InvalidToken)?;
        read(bearer.token())
    }
}

impl IntoResponse for AuthError {
    fn into_response(self) -> Response {
        let (status, message) = match self {
            AuthError::MissingCredentials => (StatusCode::BAD_REQUEST, "Missing credentials"),
            AuthError::WrongCredentials => (StatusCode::UNAUTHORIZED, "Wrong credentials"),
            AuthError::TokenCreation => (StatusCode::INTERNAL_SERVER_ERROR, "Token creation error"),
            // 400, as in the example, with a token or without one
            AuthError::InvalidToken => (StatusCode::BAD_REQUEST, "Invalid token"),
        };
        (status, Json(json!({ "error": message }))).into_response()
    }
}

fn token(sub: &str, lifetime: u64) -> Result<String, AuthError> {
    let end = SystemTime::now() + Duration::from_secs(lifetime);
    let exp = end.duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = Claims {
        sub: sub.to_owned(),
        exp,
    };
    encode(&Header::default(), &claims, &KEYS.0).map_err(|_| AuthError::TokenCreation)
}

fn read(token: &str) -> Result<Claims, AuthError> {
    decode(token, &KEYS.1, &Validation::default())
        .map(|data| data.claims)
        .map_err(|_| AuthError::InvalidToken)
}

fn random() -> Vec<u8> {
    let mut bytes = vec![0; 32];
    getrandom::getrandom(&mut bytes).unwrap();
    bytes
}

fn setting(name: &str, otherwise: u64) -> u64 {
    env::var(name).map_or(otherwise, |value| value.parse().expect(name))
}
