// The command `directus`, less its look for a newer version, which is all that its own launcher adds.

process.argv.splice(1, 1, "directus");

await import("@directus/api/cli/run.js");
