/** The licences of the packages that a bundle is made of: most ask that their text goes along. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * One text of all, by package, in the alphabet's order; those that bring no text are named with what they say.
 * @param inputs the files of a bundle, as paths from the root.
 */
export async function readLicenses(root: string, inputs: readonly string[]): Promise<string> {
  const folders = new Set(
    inputs.flatMap((input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? []),
  );
  const sections = await Promise.all([...folders].map((folder) => readSection(join(root, folder))));
  return sections.toSorted().join("\n");
}

async function readSection(folder: string): Promise<string> {
  const manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as {
    readonly name: string;
    readonly version: string;
    readonly license?: string;
  };
  const files = (await readdir(folder)).filter((name) => /^(licen[cs]e|copying|notice)/i.test(name)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
  const head = `${manifest.name} ${manifest.version}, ${manifest.license ?? "see its text"}`;
  return [head, "-".repeat(head.length), ...texts.map((text) => text.trim()), ""].join("\n");
}
