// HS256 tokens as jsonwebtoken makes and judges them, on node:crypto alone: `node node_server.js PORT`.
"use strict";
const http = require("node:http");
const { createHmac, randomUUID } = require("node:crypto");

const KEY = "a-key-of-these-tests-that-is-long-enough";
const USERS = { alice: "a-walrus-and-9-oysters", bob: "the-carpenter-wept-42" };
const ACCESS_S = Number(process.env.ACCESS_S || 900);
const REFRESH_S = Number(process.env.REFRESH_S || 604800);
const LEEWAY_S = Number(process.env.LEEWAY_S || 0);

const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const signature = (text) => createHmac("sha256", KEY).update(text).digest("base64url");
const now = () => Math.floor(Date.now() / 1000);

function sign(sub, type, lifetime) {
  const claims = { sub, type, iat: now(), exp: now() + lifetime, jti: randomUUID() };
  const text = `${encoded({ alg: "HS256", typ: "JWT" })}.${encoded(claims)}`;
  return `${text}.${signature(text)}`;
}

function owner(request, type) {
  const [head, payload, mac, ...more] = (request.headers.authorization || "").replace(/^Bearer /, "").split(".");
  if (more.length || mac !== signature(`${head}.${payload}`)) throw new Error("Invalid token");
  const claims = JSON.parse(Buffer.from(payload, "base64url"));
  if (claims.type !== type) throw new Error("Invalid token");
  if (now() >= claims.exp + LEEWAY_S) throw new Error("Token has expired");
  return claims.sub;
}

function login(body) {
  let sent;
  try {
    sent = JSON.parse(body) || {};
  } catch {
    sent = {};
  }
  const { username, password } = sent;
  if (typeof username !== "string" || typeof password !== "string") return [400, { msg: "Bad request" }];
  if (USERS[username] !== password) return [401, { msg: "Bad username or password" }];
  return [
    200,
    { access_token: sign(username, "access", ACCESS_S), refresh_token: sign(username, "refresh", REFRESH_S) },
  ];
}

function answer(request, body) {
  switch (`${request.method} ${request.url}`) {
    case "POST /login":
      return login(body);
    case "GET /profile":
      return [200, { username: owner(request, "access") }];
    case "GET /dashboard":
      return [200, { message: `welcome, ${owner(request, "access")}` }];
    case "POST /refresh":
      return [200, { access_token: sign(owner(request, "refresh"), "access", ACCESS_S) }];
    default:
      return [404, { msg: "Not found" }];
  }
}

http
  .createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    let status, data;
    try {
      [status, data] = answer(request, body);
    } catch (error) {
      [status, data] = [401, { msg: error.message }];
    }
    const challenge = status === 401 ? { "WWW-Authenticate": 'Bearer error="invalid_token"' } : {};
    response.writeHead(status, { "Content-Type": "application/json", ...challenge });
    response.end(JSON.stringify(data));
  })
  .listen(Number(process.argv[2]), "127.0.0.1");
