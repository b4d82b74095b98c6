/** A real browser before a served explorer: what it shows, what it was refused, and what it asked of whom. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { buildExplorer } from "../../validator/explorer/build/bundle.ts";

/** HEXBEACON_CHROMIUM, or what the path has; null where neither is there. */
export function findChromium(): string | null {
  const named = process.env.HEXBEACON_CHROMIUM;
  if (named !== undefined) return existsSync(named) ? named : null;
  try {
    return execFileSync("which", ["chromium"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return null;
  }
}

/** Headless, without a GPU: WebGL is drawn by the processor. */
export async function openBrowser(executablePath: string): Promise<Browser> {
  return await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
  });
}

/** Builds the explorer into a folder of its own. */
export async function buildSite(): Promise<{
  readonly folder: string;
  readonly remove: () => Promise<void>;
}> {
  const folder = await mkdtemp(join(tmpdir(), "hexbeacon-explorer-"));
  await buildExplorer({ folder, site: null, effort: "quick" });
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

export type Visit = {
  readonly page: Page;
  /** Errors of scripts, violations of the content security policy, and requests to anyone but the site. */
  readonly complaints: string[];
  readonly close: () => Promise<void>;
};

export const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  hasTouch: true,
  isMobile: true,
  deviceScaleFactor: 2,
};
export const DESKTOP: BrowserContextOptions = { viewport: { width: 1_280, height: 800 } };

/** Opens a window of its own, with nothing kept from others. */
export async function visit(
  browser: Browser,
  origin: string,
  options: BrowserContextOptions = DESKTOP,
): Promise<Visit> {
  const context = await browser.newContext({
    baseURL: origin,
    locale: "en-GB",
    timezoneId: "UTC",
    ...options,
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (/Content Security Policy|Refused to/.test(message.text()))
      complaints.push(`policy: ${message.text()}`);
  });
  page.on("request", (request) => {
    const { protocol, origin: asked } = new URL(request.url());
    if (protocol.startsWith("http") && asked !== origin) complaints.push(`request: ${request.url()}`);
  });
  return { page, complaints, close: () => context.close() };
}
