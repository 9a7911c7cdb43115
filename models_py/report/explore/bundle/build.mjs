// Bundles Mosaic's vgplot into one script, and the licences of what went into it into one text.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const { metafile } = await build({
  entryPoints: ["entry.js"],
  outfile: "../vgplot.js",
  bundle: true,
  minify: true,
  metafile: true,
  format: "iife",
  globalName: "vg",
  target: "es2022",
  legalComments: "none",
  alias: { "@duckdb/duckdb-wasm": "./absent/index.js", "@uwdata/wk-geojson": "./absent/index.js" },
});
const [output] = Object.values(metafile.outputs);
const packages = new Set();
for (const [input, { bytesInOutput }] of Object.entries(output.inputs)) {
  const inside = input.split("node_modules/").pop().split("/");
  if (input.includes("node_modules/") && bytesInOutput) {
    packages.add(inside.slice(0, inside[0].startsWith("@") ? 2 : 1).join("/"));
  }
}
const texts = [...packages].sort().map((name) => {
  const folder = `node_modules/${name}`;
  const { version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file && existsSync(`${folder}/${file}`) ? readFileSync(`${folder}/${file}`, "utf8").trim() : "";
  if (!text) throw new Error(`${name} has no licence text`);
  return `${name} ${version} (${license})\n\n${text}\n`;
});
writeFileSync("../vgplot.licences.txt", texts.join(`\n${"-".repeat(72)}\n\n`));
