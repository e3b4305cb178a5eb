// Directus on a fresh copy of the database that seed.js has made.

import { randomBytes } from "node:crypto";
import { copyFileSync } from "node:fs";
import { join } from "node:path";

const { LAB_DATA, LAB_SECRET, LAB_ACCESS_LIFETIME, LAB_REFRESH_LIFETIME, LAB_LIMITS, PORT } = process.env;
const database = join(LAB_DATA, "data.db");
copyFileSync("seed.db", database);

Object.assign(process.env, {
  HOST: "127.0.0.1",
  PUBLIC_URL: `http://127.0.0.1:${PORT}`,
  DB_CLIENT: "sqlite3",
  DB_FILENAME: database,
  SECRET: LAB_SECRET ?? randomBytes(32).toString("hex"),
  TELEMETRY: "false",
});
if (LAB_ACCESS_LIFETIME) process.env.ACCESS_TOKEN_TTL = `${LAB_ACCESS_LIFETIME}s`;
if (LAB_REFRESH_LIFETIME) process.env.REFRESH_TOKEN_TTL = `${LAB_REFRESH_LIFETIME}s`;
// It answers 503 while its event loop lags, as it does on a busy machine with two cores.
if (LAB_LIMITS === "off") process.env.PRESSURE_LIMITER_ENABLED = "false";

process.argv.push("start");
await import("./directus.js");
