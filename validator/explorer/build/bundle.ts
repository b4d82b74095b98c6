/**
 * Makes the explorer that is served: bundled by esbuild, split so that a page's code comes with the page, named by its
 * content, and compressed beforehand. One document stands for all pages.
 */
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { type BuildOptions, build, type Metafile } from "esbuild";
import { EXPLORER_FOLDER, hasExplorer } from "../../src/api/explorer/folder.ts";
import { describePolicy } from "../../src/api/explorer/policy.ts";

const ROOM = resolve(import.meta.dirname, "..");
const ROOT = resolve(ROOM, "../..");
const ENTRY = "src/main.tsx";
/** maplibre's worker is a file of its own: the content security policy lets none be made of text. */
const MAP_WORKER = "maplibre-gl/dist/maplibre-gl-worker.mjs";
/** Hashing that compiles WebAssembly when it is loaded, which the policy refuses, and what stands in its place. */
const COMPILED_HASHING = /^@chainsafe\/as-sha256$/;
const PLAIN_HASHING = new URL("../src/light/plainSha256.ts", import.meta.url);
/** What browsers lack of Node and the SSZ package asks for. */
const BUFFER = new URL("./buffer.ts", import.meta.url);
const MANIFEST = "manifest.json";
/** Compressing what is small makes it larger. */
const LEAST_COMPRESSED_BYTES = 512;
/** Brotli's highest quality takes seconds for a megabyte; a devnet's page comes over loopback. */
const BROTLI_QUALITY = { published: 11, quick: 5 } as const;

/** `api`: e.g. "https://validator.example.net"; empty: the reader is asked for one. `isOpen`: readers may name any other. */
export type StaticSite = { readonly api: string; readonly isOpen: boolean };

export type ExplorerBuild = {
  /** Where the result goes. */
  readonly folder: string;
  /** What a static site asks; null for the explorer of a validator, which asks whoever serves it. */
  readonly site: StaticSite | null;
  readonly effort: keyof typeof BROTLI_QUALITY;
};

/** A file as it is served: its name, and its bytes after brotli. */
export type AssetSize = { readonly name: string; readonly bytes: number; readonly compressedBytes: number };

/** `entry`: what the document loads; `pages`: what each module that is loaded later needs beside that. */
export type ExplorerManifest = {
  /** Digest of all inputs, by which a build is known to be current. */
  readonly digest: string;
  readonly inputs: readonly string[];
  readonly assets: readonly AssetSize[];
  readonly entry: readonly string[];
  readonly pages: Readonly<Record<string, readonly string[]>>;
};

/** A build as `npm start` makes it where there is none that is current. @param onBuild called before it is made. */
export async function ensureExplorer(onBuild: () => void): Promise<void> {
  if (await isCurrent(EXPLORER_FOLDER)) return;
  onBuild();
  await buildExplorer({ folder: EXPLORER_FOLDER, site: null, effort: "quick" });
}

/** Whether a folder holds what the sources as they stand would give, for the validator that serves it. */
export async function isCurrent(folder: string): Promise<boolean> {
  if (!hasExplorer(folder)) return false;
  const manifest = await readManifest(folder);
  return manifest.digest === (await digestInputs(manifest.inputs, null));
}

export async function readManifest(folder: string): Promise<ExplorerManifest> {
  return JSON.parse(await readFile(join(folder, MANIFEST), "utf8")) as ExplorerManifest;
}

/** Builds beside the folder and then takes its place, so that no half of it is ever served. */
export async function buildExplorer({ folder, site, effort }: ExplorerBuild): Promise<ExplorerManifest> {
  const target = resolve(folder);
  const fresh = `${target}.${process.pid}`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { recursive: true });
  try {
    const manifest = await bundleInto(fresh, site, effort);
    await rm(target, { recursive: true, force: true });
    await rename(fresh, target);
    return manifest;
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

async function bundleInto(
  folder: string,
  site: StaticSite | null,
  effort: ExplorerBuild["effort"],
): Promise<ExplorerManifest> {
  const worker = await bundle({ entryPoints: { mapWorker: MAP_WORKER } });
  const [workerPath] = worker.outputFiles.map(({ path }) => `/${relative(ROOM, path)}`);
  const main = await bundle({
    entryPoints: { main: ENTRY },
    splitting: true,
    define: { MAP_WORKER_URL: JSON.stringify(workerPath) },
  });
  const files = [...worker.outputFiles, ...main.outputFiles];
  await mkdir(join(folder, "assets"), { recursive: true });
  const assets = await Promise.all(
    files.map(({ path, contents }) => writeCompressed(folder, relative(ROOM, path), contents, effort)),
  );
  const document = await writeDocument(main.metafile, site);
  await Promise.all(
    // Static hosts answer an unknown path, such as that of a page, with the second.
    ["index.html", ...(site === null ? [] : ["404.html"])].map((name) =>
      writeCompressed(folder, name, Buffer.from(document), effort),
    ),
  );
  const inputs = listInputs([worker.metafile, main.metafile]);
  const manifest = {
    digest: await digestInputs(inputs, site),
    inputs,
    assets: assets.sort((a, b) => b.compressedBytes - a.compressedBytes),
    ...describeLoads(main.metafile),
  };
  await writeFile(join(folder, MANIFEST), JSON.stringify(manifest, null, 1));
  return manifest;
}

async function bundle(options: BuildOptions) {
  return await build({
    ...options,
    absWorkingDir: ROOM,
    bundle: true,
    format: "esm",
    target: "es2023",
    minify: true,
    metafile: true,
    write: false,
    outdir: ".",
    entryNames: "assets/[name]-[hash]",
    chunkNames: "assets/[name]-[hash]",
    assetNames: "assets/[name]-[hash]",
    publicPath: "/",
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    logLevel: "error",
    // The map's land comes as data to fetch when it is needed, not as code.
    loader: { ".json": "file" },
    inject: [fileURLToPath(BUFFER)],
    plugins: [
      {
        name: "plain-hashing",
        setup: ({ onResolve }) =>
          onResolve({ filter: COMPILED_HASHING }, () => ({ path: fileURLToPath(PLAIN_HASHING) })),
      },
    ],
    define: { "process.env.NODE_ENV": '"production"', ...options.define },
  } as BuildOptions & { metafile: true; write: false });
}

async function writeCompressed(
  folder: string,
  name: string,
  contents: Uint8Array,
  effort: ExplorerBuild["effort"],
): Promise<AssetSize> {
  const params = { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY[effort] };
  await writeFile(join(folder, name), contents);
  if (contents.length < LEAST_COMPRESSED_BYTES)
    return { name, bytes: contents.length, compressedBytes: contents.length };
  const [small, older] = await Promise.all([
    promisify(brotliCompress)(contents, { params }),
    promisify(gzip)(contents),
  ]);
  await Promise.all([
    writeFile(join(folder, `${name}.br`), small),
    writeFile(join(folder, `${name}.gz`), older),
  ]);
  return { name, bytes: contents.length, compressedBytes: small.length };
}

/** The one document, with the names of this build in it. */
async function writeDocument({ outputs }: Metafile, site: StaticSite | null): Promise<string> {
  const [script, entry] = Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === ENTRY)!;
  const chunks = entry.imports.filter(({ kind }) => kind === "import-statement").map(({ path }) => path);
  const tags = [
    `<link rel="stylesheet" href="/${entry.cssBundle}" />`,
    ...chunks.map((path) => `<link rel="modulepreload" href="/${path}" />`),
    `<script type="module" src="/${script}"></script>`,
  ];
  if (site !== null) tags.unshift(...describeSite(site));
  const template = await readFile(join(ROOM, "index.html"), "utf8");
  if (!template.includes("<!-- built -->")) throw new Error("the document has no place for the build");
  return template.replace("<!-- built -->", tags.join("\n    "));
}

/** A static host sends no policy of its own, and the document asks another origin. */
function describeSite({ api, isOpen }: StaticSite): string[] {
  // Which API a reader names is not known beforehand; scripts still come from nowhere else.
  const policy = describePolicy(isOpen ? ["https:", "http:"] : [new URL(api).origin]);
  const address = api === "" ? "" : new URL(api).href;
  return [
    `<meta http-equiv="content-security-policy" content="${policy}" />`,
    `<meta name="hexbeacon-api" content="${address}"${isOpen ? " data-open" : ""} />`,
  ];
}

/** Our own sources by content, packages by the lock file. */
function listInputs(metafiles: readonly Metafile[]): string[] {
  const all = metafiles.flatMap(({ inputs }) => Object.keys(inputs)).map((path) => resolve(ROOM, path));
  const own = all.map((path) => relative(ROOT, path)).filter((path) => !path.startsWith("node_modules/"));
  const builders = [
    "validator/explorer/index.html",
    "validator/explorer/build/bundle.ts",
    "package-lock.json",
  ];
  return [...new Set([...own, ...builders])].sort();
}

async function digestInputs(inputs: readonly string[], site: StaticSite | null): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify([site, inputs]));
  for (const input of inputs) hash.update(await readFile(join(ROOT, input)).catch(() => "gone"));
  return hash.digest("hex");
}

/** What the document loads at once, and what each later import adds to it. */
function describeLoads({ outputs }: Metafile): Pick<ExplorerManifest, "entry" | "pages"> {
  const close = (first: string, seen: Set<string>): Set<string> => {
    if (seen.has(first)) return seen;
    seen.add(first);
    for (const { path, kind } of outputs[first]?.imports ?? [])
      if (kind === "import-statement") close(path, seen);
    return seen;
  };
  const [script, main] = Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === ENTRY)!;
  const entry = close(script, new Set(main.cssBundle === undefined ? [] : [main.cssBundle]));
  const later = Object.entries(outputs).filter(
    ([path, { entryPoint }]) => entryPoint !== undefined && path !== script && !path.endsWith(".css"),
  );
  const pages = later.map(([path, { entryPoint }]) => [
    entryPoint!,
    [...close(path, new Set(entry))].filter((each) => !entry.has(each)),
  ]);
  return { entry: [...entry], pages: Object.fromEntries(pages) };
}
