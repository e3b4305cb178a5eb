// Makes the database that every start begins with a copy of: the tables take longer than a start may.

import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";

rmSync("seed.db", { force: true });

const env = { ...process.env, DB_CLIENT: "sqlite3", DB_FILENAME: "seed.db", SECRET: "used for nothing", TELEMETRY: "false" };
const stdio = ["ignore", "pipe", "inherit"];

// The last line of the output is the id of what was made.
const directus = (...words) =>
  execFileSync("node", ["directus.js", ...words], { env, stdio, encoding: "utf8" }).trim().split("\n").at(-1);

directus("bootstrap", "--skipAdminInit");
const role = directus("roles", "create", "--role", "Administrator", "--admin", "--app");
directus("users", "create", "--email", "alice@example.com", "--password", "tea-with-the-hatter-71", "--role", role);
directus("users", "create", "--email", "bob@example.com", "--password", "builds-a-bridge-by-noon-28", "--role", role);
