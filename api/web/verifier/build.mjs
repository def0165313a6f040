// Builds the script into ../static/verify.js, or into the file that is named: the same bytes from the same lock.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));

await build({
  absWorkingDir: here,
  bundle: true,
  charset: "utf8",
  entryPoints: ["main.js"],
  format: "esm",
  logLevel: "warning",
  minify: true,
  outfile: process.argv[2] ?? join(here, "..", "static", "verify.js"),
  target: "es2022",
});
