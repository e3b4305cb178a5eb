// Better Auth behind Express, with its routes, its bearer plugin and its sessions; two accounts in memory.

import { randomBytes } from "node:crypto";

import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { fromNodeHeaders, toNodeHandler } from "better-auth/node";
import { bearer } from "better-auth/plugins";
import express from "express";

const seconds = (name) => Number(process.env[name]) || undefined;

const auth = betterAuth({
  baseURL: `http://127.0.0.1:${process.env.PORT}`,
  secret: process.env.LAB_SECRET ?? randomBytes(32).toString("hex"),
  database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
  emailAndPassword: { enabled: true },
  session: { expiresIn: seconds("LAB_ACCESS_LIFETIME"), updateAge: seconds("LAB_UPDATE_AGE") },
  plugins: [bearer()],
});

for (const [email, password] of [
  ["alice@lab.example", "tea-with-the-hatter-71"],
  ["bob@lab.example", "builds-a-bridge-by-noon-28"],
]) {
  await auth.api.signUpEmail({ body: { email, password, name: email.split("@")[0] } });
}

async function authenticate(request, response, next) {
  const session = await auth.api.getSession({ headers: fromNodeHeaders(request.headers) });
  if (!session) return response.status(401).json({ message: "Unauthorized" });
  request.user = session.user;
  next();
}

const app = express();
app.all("/api/auth/*splat", toNodeHandler(auth));

app.get("/profile", authenticate, (request, response) => {
  response.json(request.user);
});

app.get("/dashboard", authenticate, (request, response) => {
  response.json({ message: `Welcome, ${request.user.name}` });
});

app.listen(process.env.PORT, "127.0.0.1");
