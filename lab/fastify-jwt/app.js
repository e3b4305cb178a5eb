// A login with Fastify, written with the README of @fastify/jwt at hand: a namespace for each kind of token, the refresh
// token in a cookie.

import { randomBytes } from "node:crypto";

import cookie from "@fastify/cookie";
import jwt from "@fastify/jwt";
import Fastify from "fastify";

// Stands for the users' table
const passwords = new Map([
  ["alice", "tea-with-the-hatter-71"],
  ["bob", "builds-a-bridge-by-noon-28"],
]);

const app = Fastify();

app.register(cookie);
app.register(jwt, {
  namespace: "access",
  secret: process.env.LAB_SECRET ?? randomBytes(32).toString("hex"),
  sign: { expiresIn: Number(process.env.LAB_ACCESS_LIFETIME) || "10m" },
});
app.register(jwt, {
  namespace: "refresh",
  secret: process.env.LAB_REFRESH_SECRET ?? randomBytes(32).toString("hex"),
  sign: { expiresIn: Number(process.env.LAB_REFRESH_LIFETIME) || "1d" },
  cookie: { cookieName: "refreshToken", signed: false },
});

const COOKIE = { path: "/", secure: true, httpOnly: true, sameSite: true };

const credentials = {
  type: "object",
  required: ["username", "password"],
  properties: { username: { type: "string" }, password: { type: "string" } },
};

app.post("/login", { schema: { body: credentials } }, async (request, reply) => {
  const { username, password } = request.body;
  if (passwords.get(username) !== password) {
    return reply.code(401).send({ message: "Wrong username or password" });
  }
  reply.setCookie("refreshToken", await reply.refreshJwtSign({ username }), COOKIE);
  return { token: await reply.accessJwtSign({ username }) };
});

app.post("/refresh", async (request, reply) => {
  await request.refreshJwtVerify({ onlyCookie: true });
  return { token: await reply.accessJwtSign({ username: request.user.username }) };
});

app.post("/logout", async (request, reply) => {
  return reply.clearCookie("refreshToken", COOKIE).code(204).send();
});

const onRequest = (request) => request.accessJwtVerify();

app.get("/profile", { onRequest }, async (request) => request.user);

app.get("/dashboard", { onRequest }, async (request) => ({ message: `Welcome, ${request.user.username}` }));

await app.listen({ host: "127.0.0.1", port: Number(process.env.PORT) });
