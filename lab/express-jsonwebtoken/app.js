// A login with Express and jsonwebtoken, the way it is usually taught.

import { randomBytes } from "node:crypto";

import bcrypt from "bcryptjs";
import express from "express";
import jwt from "jsonwebtoken";

const ACCESS_TOKEN_SECRET = process.env.LAB_SECRET ?? randomBytes(32).toString("hex");
const REFRESH_TOKEN_SECRET = process.env.LAB_REFRESH_SECRET ?? randomBytes(32).toString("hex");
// A number is one of seconds; a string with a unit is what the lessons write.
const ACCESS_LIFETIME = Number(process.env.LAB_ACCESS_LIFETIME) || "15m";
const REFRESH_LIFETIME = Number(process.env.LAB_REFRESH_LIFETIME) || "7d";

// Stands for the users' table
const users = [
  { username: "alice", password: await bcrypt.hash("tea-with-the-hatter-71", 10) },
  { username: "bob", password: await bcrypt.hash("builds-a-bridge-by-noon-28", 10) },
];
// Stands for a table, too: the refresh tokens that nobody has logged out of
const refreshTokens = new Set();

const accessTokenFor = (username) => jwt.sign({ username }, ACCESS_TOKEN_SECRET, { expiresIn: ACCESS_LIFETIME });

function authenticate(request, response, next) {
  const token = request.headers["authorization"]?.split(" ")[1];
  if (!token) return response.sendStatus(401);
  jwt.verify(token, ACCESS_TOKEN_SECRET, (error, claims) => {
    if (error) return response.sendStatus(403);
    request.user = claims;
    next();
  });
}

const app = express();
app.use(express.json());

app.post("/login", async (request, response) => {
  const { username, password } = request.body;
  const user = users.find((candidate) => candidate.username === username);
  if (!user || !(await bcrypt.compare(password, user.password))) {
    return response.status(401).json({ message: "Invalid credentials" });
  }
  const refreshToken = jwt.sign({ username }, REFRESH_TOKEN_SECRET, { expiresIn: REFRESH_LIFETIME });
  refreshTokens.add(refreshToken);
  response.json({ accessToken: accessTokenFor(username), refreshToken });
});

app.post("/refresh", (request, response) => {
  const { refreshToken } = request.body;
  if (!refreshToken) return response.sendStatus(401);
  if (!refreshTokens.has(refreshToken)) return response.sendStatus(403);
  jwt.verify(refreshToken, REFRESH_TOKEN_SECRET, (error, claims) => {
    if (error) return response.sendStatus(403);
    response.json({ accessToken: accessTokenFor(claims.username) });
  });
});

app.post("/logout", (request, response) => {
  refreshTokens.delete(request.body.refreshToken);
  response.sendStatus(204);
});

app.get("/profile", authenticate, (request, response) => {
  response.json({ username: request.user.username });
});

app.get("/dashboard", authenticate, (request, response) => {
  response.json({ message: `Welcome, ${request.user.username}` });
});

app.listen(process.env.PORT, "127.0.0.1");
