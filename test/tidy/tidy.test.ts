/** The repository's check on itself: direction of dependencies, sizes, dead files, and documents in step with code. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { describe, expect, test } from "vitest";
import { REASONS } from "../../protocol/src/evidence/reasons.ts";

const ROOT = join(import.meta.dirname, "../..");
const MAX_FILE_LINES = 400;
/** Tests may be longer than what they test: they are read case by case. */
const MAX_TEST_LINES = 700;
/** The least limit that a test may set: below the twenty seconds of a mistake that one catches by it, above a busy machine. */
const LEAST_LIMIT_MS = 15_000;
/** What is run, what the packaging puts in a module's place by its path, and types that a build finds by itself. */
const PROGRAMS =
  /\/main\.tsx?$|\.d\.ts$|^node\/packaging\/standIns\/\w+\.ts$|^validator\/client\/exportRewards\.ts$/;
/** Written by a command from what is read instead. */
const GENERATED = ["validator/client/api.ts"];

/** Everything git knows or would take, so that a file counts before it is committed. */
const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: ROOT,
  encoding: "utf8",
})
  .split("\n")
  .filter((file) => file !== "" && existsSync(join(ROOT, file)));
const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");
const sources = files.filter((file) => /\.tsx?$/.test(file));
const isTest = (file: string) => file.startsWith("test/");

/** Relative imports of a source file, as paths from the root; dynamic ones and worker URLs included. */
function importsOf(file: string): string[] {
  const text = read(file);
  const found = [...text.matchAll(/(?:from|import|import\(|new URL\()\s*"(\.[^"]+)"/g)].map(
    (match) => match[1]!,
  );
  return found.map((path) => posix.normalize(posix.join(dirname(file), path)));
}

/** Packages that a source file imports. */
function packagesOf(file: string): string[] {
  return [...read(file).matchAll(/(?:from|import)\s*\(?\s*"([^."][^"]*)"/g)].map((match) => match[1]!);
}

/** Source files that these lead to, themselves included. */
function reachableFrom(roots: readonly string[]): ReadonlySet<string> {
  const reached = new Set(roots);
  // A set's iteration goes on to what is added meanwhile.
  for (const file of reached) {
    // A path inside a string of a test may lead nowhere.
    for (const target of importsOf(file)) if (sources.includes(target)) reached.add(target);
  }
  return reached;
}

/** Which rooms a room may import from. */
const ROOMS: Readonly<Record<string, (target: string, file: string) => boolean>> = {
  protocol: (target) => target.startsWith("protocol/"),
  node: (target) => target.startsWith("protocol/") || target.startsWith("node/"),
  // Of the node the host layer only; its commands are composed with the node's own.
  validator: (target, file) =>
    target.startsWith("protocol/") ||
    target.startsWith("validator/") ||
    target.startsWith("node/src/host/") ||
    (target.startsWith("node/src/cli/") && file.startsWith("validator/src/cli/")),
  test: () => true,
};

/** What protocol may use: pure packages, in any JavaScript engine. */
const PURE_PACKAGES = ["@noble/curves", "@noble/hashes", "@chainsafe/ssz", "h3-js"];

describe("dependencies", () => {
  test("point one way: protocol <- node <- validator, and test sees all", () => {
    const wrong: string[] = [];
    for (const file of sources) {
      const room = ROOMS[file.split("/")[0]!];
      if (room === undefined) continue;
      for (const target of importsOf(file)) if (!room(target, file)) wrong.push(`${file} imports ${target}`);
    }
    expect(wrong).toEqual([]);
  });

  test("of protocol are pure: no Node modules, no clock, no randomness", () => {
    const wrong: string[] = [];
    for (const file of sources.filter((source) => source.startsWith("protocol/"))) {
      for (const name of packagesOf(file)) {
        if (!PURE_PACKAGES.some((pure) => name === pure || name.startsWith(`${pure}/`)))
          wrong.push(`${file} imports ${name}`);
      }
      const code = read(file).replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
      for (const impure of [
        "Date.now",
        "new Date",
        "Math.random",
        "performance.",
        "setTimeout",
        "process.",
      ]) {
        if (code.includes(impure)) wrong.push(`${file} uses ${impure}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test("on host trigonometry stay out of what validators must agree on", () => {
    const wrong = sources
      .filter((file) => file.startsWith("protocol/") && file !== "protocol/src/geo/centre.ts")
      .filter((file) =>
        /Math\.(sin|cos|tan|asin|acos|atan|atan2|exp|log|log2|log10|pow|cbrt|hypot|expm1|log1p|sinh|cosh|tanh)\(/.test(
          read(file).replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, ""),
        ),
      );
    expect(wrong).toEqual([]);
  });
});

describe("files", () => {
  test("are no longer than a reader's patience", () => {
    const long = sources
      .map((file) => ({ file, lines: read(file).split("\n").length }))
      .filter(({ file }) => !GENERATED.includes(file))
      .filter(({ file, lines }) => lines > (isTest(file) ? MAX_TEST_LINES : MAX_FILE_LINES));
    expect(long).toEqual([]);
  });

  test("open with what they are for", () => {
    // A test file's name and its describe say it already.
    const headed = sources.filter((file) => !file.endsWith(".test.ts"));
    expect(headed.filter((file) => !/^(#!.*\n)?(\/\*\*|\/\/)/.test(read(file)))).toEqual([]);
  });

  test("have no default exports, no export *, no unfinished marks", () => {
    const wrong = sources
      .filter((file) => file !== "vitest.config.ts" && file !== "test/tidy/tidy.test.ts")
      .filter((file) =>
        /export default|export \*|\bTODO\b|\bFIXME\b|\bXXX\b|(it|test|describe)\.(only|todo)\(/.test(
          read(file),
        ),
      );
    expect(wrong).toEqual([]);
  });

  test("are all reachable from a program, a test or a bench", () => {
    const roots = sources.filter(
      (file) =>
        file.endsWith(".test.ts") ||
        /\/(main|worker|setup)\.tsx?$|\.d\.ts$/.test(file) ||
        file === "vitest.config.ts",
    );
    const reached = reachableFrom(roots);
    expect(sources.filter((file) => !reached.has(file))).toEqual([]);
  });

  test("of the product are reachable from a program, and not from tests alone", () => {
    const product = sources.filter((file) => !isTest(file) && file !== "vitest.config.ts");
    const reached = reachableFrom(product.filter((file) => PROGRAMS.test(file)));
    expect(product.filter((file) => !reached.has(file))).toEqual([]);
  });

  test("of tests leave a busy machine its time", () => {
    const hasty = sources
      .filter((file) => file.endsWith(".test.ts") && file !== "test/tidy/tidy.test.ts")
      .flatMap((file) => {
        const limits = [...read(file).matchAll(/\btimeout: ([\d_]+)/g)].map((match) => match[1]!);
        const short = limits.filter((limit) => Number(limit.replaceAll("_", "")) < LEAST_LIMIT_MS);
        // Vitest's own patience with these is a second.
        const bare = [...read(file).matchAll(/vi\.wait(?:Until|For)\([^\n]*\)(?<!timeout: [\d_]+ \}\));/g)];
        return [...short, ...bare.map(([wait]) => wait)].map((limit) => `${file}: ${limit}`);
      });
    expect(hasty).toEqual([]);
  });

  test("name no registry, no machine and no workplace", () => {
    const marks = [
      ["registry", "npmjs", "org"].join("."),
      ["", "work", "main"].join("/"),
      ["", "root", ""].join("/"),
    ];
    const wrong = files
      .filter((file) => !/\.(png|gz|svg)$/.test(file))
      .flatMap((file) => marks.filter((mark) => read(file).includes(mark)).map((mark) => `${file}: ${mark}`));
    expect(wrong).toEqual([]);
    expect(read("package-lock.json")).not.toContain('"resolved"');
  });

  test("stand in the rooms of the house", () => {
    const rooms = new Set(files.map((file) => file.split("/")[0]!).filter((top) => !top.startsWith(".")));
    const allowed = [
      "CONTRIBUTING.md",
      "LICENSE",
      "README.md",
      "biome.json",
      "docker-compose.yml",
      "docs",
      "node",
      "package-lock.json",
      "package.json",
      "protocol",
      "test",
      "tsconfig.json",
      "validator",
      "vitest.config.ts",
    ];
    expect([...rooms].filter((room) => !allowed.includes(room))).toEqual([]);
  });
});

describe("packages", () => {
  const manifest = JSON.parse(read("package.json")) as Record<string, Record<string, string>>;
  const lock = JSON.parse(read("package-lock.json")) as {
    packages: Record<string, { hasInstallScript?: boolean; dev?: boolean; link?: boolean }>;
  };

  test("are pinned exactly", () => {
    const pins = ["dependencies", "devDependencies", "optionalDependencies"].flatMap((group) =>
      Object.entries(manifest[group]!),
    );
    expect(pins.filter(([, version]) => !/^(npm:@?[\w./-]+@)?\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  test("of the runtime have no install script", () => {
    const scripted = Object.entries(lock.packages).filter(
      ([, entry]) => entry.hasInstallScript && !entry.dev,
    );
    expect(scripted.map(([name]) => name)).toEqual([]);
  });

  test("are all used", () => {
    const used = new Set(sources.flatMap(packagesOf));
    const uses = (name: string) => [...used].some((path) => path === name || path.startsWith(`${name}/`));
    // Tools that are run and not imported, and the types of what is.
    const tools = [
      "typescript",
      "@biomejs/biome",
      "@types/node",
      "@types/sodium-native",
      "@types/topojson-client",
      "@vitest/coverage-v8",
    ];
    const names = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
    expect(names.filter((name) => !uses(name) && !tools.includes(name))).toEqual([]);
  });
});

describe("documents", () => {
  test("docs/protocol.md has a row for each reason, and none besides", () => {
    const rows = [...read("docs/protocol.md").matchAll(/^\| (\d+) \| `([a-z_0-9]+)` \|/gm)].map((row) => [
      Number(row[1]),
      row[2],
    ]);
    expect(rows).toEqual(REASONS.map((reason, index) => [index + 1, reason]));
  });

  test("links between documents lead somewhere", () => {
    const dead = files
      .filter((file) => file.endsWith(".md"))
      .flatMap((file) =>
        [...read(file).matchAll(/\]\((?!https?:|#|mailto:)([^)#]+)(?:#[^)]*)?\)/g)]
          .map((match) => posix.normalize(posix.join(dirname(file), match[1]!)))
          .filter((target) => !existsSync(join(ROOT, target)))
          .map((target) => `${file} -> ${target}`),
      );
    expect(dead).toEqual([]);
  });
});
