/**
 * The explorer in a real browser, over an API with a made-up history: every page on a phone and a desk, all its states, the keyboard,
 * and texts that strangers could write.
 */

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { buildExplorer } from "../../validator/explorer/build/bundle.ts";
import { listEvents } from "../../validator/src/api/eventHub.ts";
import { EXPLORER_PAGES } from "../../validator/src/api/explorer/pages.ts";
import { createMemoryStore } from "../store/memoryStore.ts";
import { createFixture, did, type Fixture } from "../unit/api/apiFixture.ts";
import {
  buildSite,
  DESKTOP,
  findChromium,
  openBrowser,
  PHONE,
  type Visit,
  visit,
} from "./explorerBrowser.ts";

const chromium = findChromium();
/** A cell with hotspots in the made-up history. */
const CELL = "881f90d24bfffff";
const HOSTILE = '<img src=x onerror="window.hacked=true"><script>window.hacked=true</script>';

let browser: Browser;
let site: Awaited<ReturnType<typeof buildSite>>;
let fixture: Fixture;
let origin: string;
const opened: Visit[] = [];

async function open(options = DESKTOP, at = origin): Promise<Visit> {
  const one = await visit(browser, at, options);
  opened.push(one);
  return one;
}

const pathOf = (page: string): string =>
  page
    .replace(":cell", CELL)
    .replace("/hotspots/:id", `/hotspots/${did("hotspot 1")}`)
    .replace("/accounts/:id", `/accounts/${did("owner 1")}`)
    .replace("/validators/:id", `/validators/${did("validator 1")}`)
    .replace(":epoch", "3");

/** Waits until nothing says that it is loading. */
const settle = async (page: Page): Promise<void> => {
  await page.locator("h1").first().waitFor();
  await page.locator(".loading").first().waitFor({ state: "detached" });
};

describe.skipIf(chromium === null)(
  "the explorer (skipped where there is no Chromium: HEXBEACON_CHROMIUM names one)",
  () => {
    beforeAll(async () => {
      site = await buildSite();
      fixture = await createFixture({ explorerFolder: site.folder });
      origin = await fixture.api.listen({ host: "127.0.0.1", port: 0 });
      browser = await openBrowser(chromium!);
    });
    afterEach(async () => {
      for (const one of opened.splice(0)) await one.close();
    });
    afterAll(async () => {
      await browser?.close();
      await fixture?.api.close();
      await site?.remove();
    });

    test.each([
      ["a desk", DESKTOP],
      ["a phone", PHONE],
    ])(
      "shows every page on %s without a complaint, and none is wider than the window",
      async (_name, options) => {
        const { page, complaints } = await open(options);
        for (const path of EXPLORER_PAGES.map(pathOf)) {
          await page.goto(path);
          await settle(page);
          // In one look: a page's name may come between two.
          const [heading, title] = await page.evaluate<[string, string]>(
            "[document.querySelector('h1').innerText, document.title]",
          );
          expect([path, heading.length > 0, title]).toEqual([path, true, `${heading} · Hexbeacon`]);
          expect([path, await page.evaluate("document.documentElement.scrollWidth - innerWidth")]).toEqual([
            path,
            0,
          ]);
          expect([path, await page.locator(".failure").allInnerTexts()]).toEqual([path, []]);
        }
        await page.goto("/no/such/page");
        await page.getByRole("heading", { name: "No such page" }).waitFor();
        expect(complaints).toEqual([]);
      },
    );

    test("leads by keyboard from the head of the page into it, and says where one is", async () => {
      const { page } = await open();
      await page.goto("/network");
      await settle(page);
      await page.keyboard.press("Tab");
      expect(await page.evaluate("document.activeElement?.textContent")).toBe("Skip to the page");
      await page.keyboard.press("Enter");
      expect(await page.evaluate("document.activeElement?.id")).toBe("main");
      await page.getByRole("link", { name: "Map", exact: true }).focus();
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "Coverage" }).waitFor();
      expect(await page.evaluate("document.activeElement?.tagName")).toBe("H1");
      expect(await page.locator("#announcer").innerText()).toBe("Coverage");
      expect(await page.getByRole("link", { name: "Map", exact: true }).getAttribute("aria-current")).toBe(
        "page",
      );
      const cell = page.getByRole("table").getByRole("link").first();
      await cell.focus();
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "Who covers it" }).waitFor();
      await page.goBack();
      await page.getByRole("heading", { name: "Coverage" }).waitFor();
    });

    test("says that it is loading, what failed, and tries again", async () => {
      const { page } = await open();
      // Without live events, after which the status is asked for anew.
      await page.route("**/v1/events", (route) => route.abort());
      let answer = (): void => {};
      const held = new Promise<void>((resolve) => {
        answer = resolve;
      });
      await page.route("**/v1/status", async (route) => {
        await held;
        await route.fulfill({
          status: 503,
          contentType: "application/problem+json",
          body: JSON.stringify({
            type: "about:blank",
            title: "x",
            status: 503,
            detail: "The validator is too busy.",
          }),
        });
      });
      await page.goto("/network");
      await page.getByText("Loading the status…").waitFor();
      answer();
      const failure = page.getByRole("alert");
      await failure.getByText("The validator is too busy.").waitFor();
      expect(await failure.innerText()).toContain("Asked: /v1/status (status 503)");
      await page.unroute("**/v1/status");
      await failure.getByRole("button", { name: "Try again" }).click();
      await page.getByText("test network").waitFor();
      expect(await failure.count()).toBe(0);
      await page.route("**/v1/search**", (route) => route.abort());
      await page.goto("/search?q=anything");
      await page.getByText("The API cannot be reached.").waitFor();
    });

    test("says what is missing in a network where nothing has happened", async () => {
      const genesis = { hotspots: [], accounts: [], validators: [], seats: fixture.history.genesis.seats };
      const empty = await createFixture(
        { explorerFolder: site.folder },
        { store: createMemoryStore(genesis) },
      );
      const at = await empty.api.listen({ host: "127.0.0.1", port: 0 });
      const { page, complaints } = await open(DESKTOP, at);
      for (const path of EXPLORER_PAGES.map(pathOf)) {
        await page.goto(`${at}${path}`);
        await settle(page);
        expect([path, await page.locator(".failure").allInnerTexts()]).toEqual([path, []]);
      }
      await page.goto(`${at}/`);
      await page.getByText("No hotspot has asserted a place yet").waitFor();
      expect(complaints).toEqual([]);
      await page.close();
      await empty.api.close();
    });

    test("renders what strangers write and runs none of it", async () => {
      const { page, complaints } = await open();
      await page.goto(`/search?q=${encodeURIComponent(HOSTILE)}`);
      await page.getByText(`Nothing is called “${HOSTILE}”`).waitFor();
      await page.goto(`/cells/${encodeURIComponent(HOSTILE)}`);
      await page.getByRole("heading", { name: `Cell ${HOSTILE}` }).waitFor();
      const poison = (key: string, value: unknown) =>
        typeof value === "string" && /^(name|status|version|region|notReady|words)$/.test(key)
          ? HOSTILE
          : value;
      await page.route("**/v1/**", async (route) => {
        if (route.request().url().includes("/v1/events")) return await route.continue();
        try {
          const response = await route.fetch();
          const body = JSON.stringify(JSON.parse(await response.text()), poison);
          await route.fulfill({ response, body });
        } catch {
          // The page that asked has been left.
        }
      });
      for (const path of EXPLORER_PAGES.map(pathOf)) {
        await page.goto(path);
        await settle(page);
      }
      await page.goto("/network");
      await page.getByText(HOSTILE).first().waitFor();
      expect(await page.evaluate("'hacked' in window")).toBe(false);
      expect(complaints).toEqual([]);
    });

    test("keeps the reader's choice of dark or light", async () => {
      const { page } = await open({ ...DESKTOP, colorScheme: "dark" });
      const ground = () => page.evaluate("getComputedStyle(document.body).backgroundColor");
      await page.goto("/search");
      await settle(page);
      const dark = await ground();
      await page.getByRole("button", { name: "Show in light colours" }).click();
      const light = await ground();
      expect(light).not.toBe(dark);
      await page.reload();
      await settle(page);
      expect(await ground()).toBe(light);
    });

    test("shows rounds as they are finalized, until it is paused", async () => {
      const { page } = await open();
      await page.goto("/network");
      await page.getByText("As it happens").waitFor();
      const round = { ...fixture.history.commits[0]!.commit.result, round: 4_711 };
      fixture.events.publish(listEvents(round));
      await page.getByRole("cell", { name: "4,711" }).waitFor();
      await page.getByRole("button", { name: "Pause" }).click();
      await page.getByText("Paused").waitFor();
      await expect.poll(fixture.eventClients).toBe(0);
      fixture.events.publish(listEvents({ ...round, round: 4_712 }));
      await page.getByRole("button", { name: "Go on" }).click();
      await page.getByText("As it happens").waitFor();
      fixture.events.publish(listEvents({ ...round, round: 4_713 }));
      await page.getByRole("cell", { name: "4,713" }).waitFor();
      expect(await page.getByRole("cell", { name: "4,712" }).count()).toBe(0);
    });

    test("finds by the search box, and goes where only one thing is meant", async () => {
      const { page } = await open();
      await page.goto("/network");
      await page.getByRole("searchbox").fill(CELL);
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: `Cell ${CELL}` }).waitFor();
      await page.getByRole("searchbox").fill("a");
      await page.keyboard.press("Enter");
      await page.locator("main .list a").first().waitFor();
      await page.locator("main .list a").first().click();
      await page.waitForURL(/\/(hotspots|accounts|validators)\/did/);
    });

    test("draws the map: a click shows who covers a cell, zoom goes from the world to a street", async () => {
      const { page, complaints } = await open();
      await page.goto(`/?at=10/${await centreOf(CELL)}`);
      await page.locator("[data-ready=true]").waitFor();
      await page.getByText(/cells of resolution 8/).waitFor();
      await page.getByRole("radio", { name: "Gaps" }).check();
      await page.getByText("fewer than three others reach").waitFor();
      expect(new URL(page.url()).searchParams.get("by")).toBe("gaps");
      const box = (await page.locator(".map-place").boundingBox())!;
      // The canvas draws when it comes to it: a click is repeated until the cell under it is there.
      await expect
        .poll(
          async () => {
            await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
            return new URL(page.url()).pathname;
          },
          { interval: 500 },
        )
        .toBe(`/cells/${CELL}`);
      await page.getByText("By whose witness").first().click();
      await page
        .getByText(/heard it|heard by it|Nobody heard it/)
        .first()
        .waitFor();
      await page.getByRole("button", { name: "Zoom out" }).click();
      await page.getByText(/cells of resolution 7/).waitFor();
      // Links lead the map too, and keep the way of looking: to everything, and from there to a cell.
      const place = () => new URL(page.url());
      const near = place().searchParams.get("at");
      await page.getByRole("link", { name: "Back to the whole map" }).click();
      await expect.poll(() => place().searchParams.get("at")).not.toBeOneOf([near, null]);
      expect([place().pathname, place().searchParams.get("by")]).toEqual(["/", "gaps"]);
      // Read and followed in one step: with the view the rows of the table change.
      const link = page.getByRole("table").getByRole("link").first();
      const cell = await link.evaluate((anchor: { readonly title: string; click(): void }) => {
        anchor.click();
        return anchor.title;
      });
      const centre = await centreOf(cell);
      await expect
        .poll(() =>
          place()
            .searchParams.get("at")
            ?.replace(/^[^/]+\//, ""),
        )
        .toBe(centre);
      expect([place().pathname, place().searchParams.get("by")]).toEqual([`/cells/${cell}`, "gaps"]);
      expect(complaints).toEqual([]);
    });

    test("leaves the address of another page alone when a map that was left has loaded", async () => {
      const { page, complaints } = await open();
      // A map gives its drawing context back when it is closed, which is the last that it does.
      await page.addInitScript(`
        window.closedMaps = 0;
        const { getExtension } = WebGL2RenderingContext.prototype;
        WebGL2RenderingContext.prototype.getExtension = function (name) {
          if (name === "WEBGL_lose_context") window.closedMaps++;
          return getExtension.call(this, name);
        };`);
      let answer = (): void => {};
      const held = new Promise<void>((resolve) => {
        answer = resolve;
      });
      await page.route("**/assets/countries-110m*", async (route) => {
        await held;
        await route.continue();
      });
      const asked = page.waitForRequest("**/assets/countries-110m*");
      await page.goto("/");
      await asked;
      await page.getByRole("link", { name: "Network", exact: true }).click();
      await page.getByText("As it happens").waitFor();
      answer();
      await expect.poll(() => page.evaluate("window.closedMaps")).toBeGreaterThan(0);
      expect(new URL(page.url()).search).toBe("");
      expect(complaints).toEqual([]);
    });

    test("says the same in a table where no map can be drawn", async () => {
      const { page } = await open();
      await page.addInitScript("HTMLCanvasElement.prototype.getContext = () => null;");
      await page.goto("/");
      await page.getByText("This browser cannot draw the map").waitFor();
      expect(await page.getByRole("table").getByRole("link").count()).toBeGreaterThan(0);
    });

    test("is a static site too, that asks the API which its reader names, and says so", async () => {
      const folder = join(site.folder, "static");
      const host = await serveStatic(folder);
      const elsewhere = await createFixture({ corsOrigins: [host.origin] });
      const apiOrigin = await elsewhere.api.listen({ host: "127.0.0.1", port: 0 });
      await buildExplorer({ folder, site: { api: "", isOpen: true }, effort: "quick" });
      const { page, complaints } = await open(DESKTOP, host.origin);
      // Nobody is asked before somebody is named.
      await page.goto("/epochs");
      await page.getByRole("heading", { name: "Whom to ask" }).waitFor();
      expect(complaints).toEqual([]);
      await page.getByLabel("Address of a validator's API").fill(`${apiOrigin}/`);
      await page.keyboard.press("Enter");
      await page.getByText(`Answers come from ${apiOrigin}.`).waitFor();
      expect(new URL(page.url()).search).not.toContain("api=");
      await page.goto("/network");
      await page.getByText("test network").waitFor();
      await page.getByText("As it happens").waitFor();
      // What is no address of an API is not asked, and does not become the one that is.
      for (const [text, why] of [
        ["javascript:alert(1)", "is no http or https address"],
        ["https://user:word@api.example", "has a name or a password in it"],
      ] as const) {
        await page.goto(`/search?api=${encodeURIComponent(text)}`);
        await page.getByText(`“${text}” ${why}, so it is not asked.`).waitFor();
        await page.getByText(`Answers come from ${apiOrigin}.`).waitFor();
      }
      expect(await page.getByText("This is not the network that you pinned.").count()).toBe(0);
      await page.evaluate(`localStorage.setItem("hexbeacon-genesis", "0x${"12".repeat(32)}")`);
      await page.reload();
      await page.getByText("This is not the network that you pinned.").waitFor();
      expect(complaints.filter((text) => !text.startsWith(`request: ${apiOrigin}/`))).toEqual([]);
      await page.close();
      await elsewhere.api.close();
      host.close();
    });

    test("asks nobody but the API that it was built for, whatever a link says", async () => {
      const folder = join(site.folder, "fixed");
      const host = await serveStatic(folder);
      const elsewhere = await createFixture({ corsOrigins: [host.origin] });
      const apiOrigin = await elsewhere.api.listen({ host: "127.0.0.1", port: 0 });
      await buildExplorer({ folder, site: { api: apiOrigin, isOpen: false }, effort: "quick" });
      const { page, complaints } = await open(DESKTOP, host.origin);
      await page.goto("/network?api=https%3A%2F%2Fliar.example");
      await page.getByText("test network").waitFor();
      await page.getByText(`Answers come from ${apiOrigin}.`).waitFor();
      expect(complaints.filter((text) => !text.startsWith(`request: ${apiOrigin}/`))).toEqual([]);
      await page.close();
      await elsewhere.api.close();
      host.close();
    });
  },
);

/** A host of files as the explorer's guide asks for: assets by their names, and the document for every other path. */
async function serveStatic(folder: string): Promise<{ readonly origin: string; readonly close: () => void }> {
  const types = { js: "text/javascript", css: "text/css", json: "application/json", html: "text/html" };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, "http://site");
    const name = pathname.startsWith("/assets/") ? pathname : "404.html";
    const type = types[name.split(".").at(-1) as keyof typeof types];
    readFile(join(folder, name)).then(
      (body) => response.writeHead(200, { "content-type": type }).end(body),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return { origin: `http://127.0.0.1:${port}`, close: () => void server.close() };
}

/** Latitude and longitude of a cell's centre, as the map's address has them. */
async function centreOf(cell: string): Promise<string> {
  const { cellToLatLng } = await import("h3-js");
  return cellToLatLng(cell)
    .map((degrees) => degrees.toFixed(4))
    .join("/");
}
