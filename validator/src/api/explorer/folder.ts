/** Where the built explorer lies, and whether one is there. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where `npm run build:explorer` puts it. */
export const EXPLORER_FOLDER = fileURLToPath(new URL("../../../explorer/dist/", import.meta.url));

/** The one document that stands for every page. */
export const EXPLORER_DOCUMENT = "index.html";

export const hasExplorer = (folder: string): boolean => existsSync(join(folder, EXPLORER_DOCUMENT));
