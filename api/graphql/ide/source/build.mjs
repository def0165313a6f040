// Builds the page into ../built, or into the directory that is named: the same files from the same lock, byte by byte.
import { cp, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const target = process.argv[2] ?? join(here, "..", "built");

// GraphiQL's style sheet carries 330 KB of fonts; those of the reader's system do as well.
const withoutFonts = {
  name: "without fonts",
  setup(build) {
    build.onLoad({ filter: /\.css$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replaceAll(/@font-face\s*\{[^}]*\}/g, ""),
      loader: "css",
    }));
  },
};

const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: { ide: "main.js" },
  bundle: true,
  define: { "process.env.NODE_ENV": '"production"' },
  format: "esm",
  legalComments: "none",
  logLevel: "warning",
  metafile: true,
  minify: true,
  outdir: target,
  plugins: [withoutFonts],
  target: "es2022",
});

const packages = Object.keys(metafile.inputs)
  .map((path) => path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0])
  .filter((path) => path !== undefined);
const notices = [];
for (const path of [...new Set(packages)].sort()) {
  const { name, version, license } = JSON.parse(await readFile(join(here, path, "package.json"), "utf8"));
  const file = (await readdir(join(here, path))).sort().find((one) => /^licen[cs]e/i.test(one));
  const text = file === undefined ? "" : `\n\n${(await readFile(join(here, path, file), "utf8")).trim()}`;
  notices.push(`${name} ${version}: ${license}${text}`);
}
await mkdir(target, { recursive: true });
await writeFile(join(target, "licences.txt"), `${notices.join(`\n\n${"-".repeat(80)}\n\n`)}\n`);
await cp(join(here, "index.html"), join(target, "index.html"));
