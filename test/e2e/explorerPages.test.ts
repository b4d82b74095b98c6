/**
 * The pages of hotspots, accounts and epochs in a real browser, over a made-up history whose proof and certificate are real:
 * what they say, in which states, and that a proof which was tampered with is refused there.
 */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeHex0x } from "../../protocol/src/bytes/hex.ts";
import { computeName } from "../../protocol/src/crypto/names.ts";
import { encodeGenesisJson } from "../../protocol/src/network/genesis.ts";
import { createMemoryStore } from "../store/memoryStore.ts";
import { createFixture, did, EPOCHS, type Fixture } from "../unit/api/apiFixture.ts";
import { FOUR_GENESIS, proveTotal } from "../unit/explorer/provenTotal.ts";
import { createHistory, named, START_TIME_MS } from "../unit/store/history.ts";
import { contextOf } from "../unit/validator/support/network.ts";
import { buildSite, findChromium, openBrowser, PHONE, type Visit, visit } from "./explorerBrowser.ts";

const genesis = FOUR_GENESIS;
const context = contextOf(genesis);
const validators = genesis.validators.map(({ key }) => key);

/** The explorer over the history; `folder` is its build. */
async function serve(folder: string): Promise<{ readonly fixture: Fixture; readonly origin: string }> {
  const { account, certificate, proof } = proveTotal(123_456_789n);
  const served: Fixture = await createFixture(
    {
      explorerFolder: folder,
      network: {
        ...{ name: "test network", id: context.networkId, parameters: context.parameters },
        writeGenesis: () => encodeGenesisJson(genesis),
      },
    },
    {
      agreement: {
        rewardCert: async (epoch) => (epoch === EPOCHS - 1 ? certificate : null),
        isConnected: async () => true,
      },
      ledger: {
        rewardProof: async (key) =>
          encodeHex0x(key) === encodeHex0x(account) ? { proof, epoch: EPOCHS - 1 } : null,
        appeal: async () => null,
      },
    },
  );
  const set = { fromEpoch: 0, keys: validators };
  Object.assign(served.store, { findSet: async () => set, listSetChanges: async () => [] });
  return { fixture: served, origin: await served.api.listen({ host: "127.0.0.1", port: 0 }) };
}

const chromium = findChromium();
/** Where pictures of what was shown go, for those who look; none without it. */
const SHOTS = process.env.HEXBEACON_SHOTS;

let photographs = 0;
async function photograph(page: Page): Promise<void> {
  if (SHOTS !== undefined) await page.screenshot({ path: `${SHOTS}/${photographs++}.png`, fullPage: true });
}

/** A script by which a browser has pinned a genesis before. */
const pinning = (networkId: string) => ({
  content: `localStorage.setItem("hexbeacon-genesis", "${networkId}")`,
});

describe.skipIf(chromium === null)("in Chromium", () => {
  let browser: Browser;
  let site: Awaited<ReturnType<typeof buildSite>>;
  let served: Awaited<ReturnType<typeof serve>>;
  let opened: Visit;

  beforeAll(async () => {
    [browser, site] = await Promise.all([openBrowser(chromium!), buildSite()]);
    served = await serve(site.folder);
    opened = await visit(browser, served.origin);
  });
  afterAll(async () => {
    await browser?.close();
    await served?.fixture.api.close();
    await site?.remove();
  });

  /** Goes to a page and waits until nothing of it is on its way any more. */
  async function show(path: string, { page }: Visit = opened) {
    await page.goto(path);
    await page.locator("h1").waitFor();
    await page.locator(".loading").first().waitFor({ state: "detached" });
    await photograph(page);
    return page;
  }
  const textOf = async (selector: string): Promise<string> =>
    (await opened.page.locator(selector).allInnerTexts()).join("\n");

  test("lists hotspots and narrows them by status", async () => {
    const page = await show("/hotspots");
    expect(await page.locator("tbody tr").count()).toBe(9);
    await page.getByRole("combobox").selectOption("unasserted");
    await page.locator("tbody tr").nth(1).waitFor({ state: "detached" });
    await page.getByRole("combobox").selectOption("gone");
    await page.getByText("There is no such hotspot.").waitFor();
    expect(opened.complaints).toEqual([]);
  });

  test("reads a list on with the focus where it was, to its end", async () => {
    await opened.page.route("**/v1/hotspots?*", async (route) => {
      const url = route.request().url().replace("limit=50", "limit=4");
      await route.fulfill({ response: await route.fetch({ url }) });
    });
    const page = await show("/hotspots");
    const rows = page.locator("tbody tr");
    const focused = () => page.evaluate("document.activeElement.textContent");
    expect(await rows.count()).toBe(4);
    await page.getByRole("button", { name: "Show more" }).focus();
    await page.keyboard.press("Enter");
    await rows.nth(7).waitFor();
    expect(await focused()).toBe("Show more");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "That is all" }).waitFor();
    expect([await rows.count(), await focused()]).toEqual([9, "That is all"]);
    await page.unroute("**/v1/hotspots?*");
    // What a cell's panel has no room for stands here as well.
    const { items } = (await served.fixture.get("/v1/hotspots")).json();
    const { cell } = items.find(({ assertion }: { assertion: unknown }) => assertion !== null).assertion;
    const within = (await served.fixture.get(`/v1/hotspots?cell=${cell}`)).json();
    await show(`/hotspots?cell=${cell}`);
    expect(await rows.count()).toBe(within.items.length);
    expect(opened.complaints).toEqual([]);
  });

  test("shows a hotspot: rewards, why, reports with reasons, trust, neighbours", async () => {
    const page = await show(`/hotspots/${did("hotspot 1")}`);
    expect(await textOf("h1")).toBe(computeName(named("hotspot 1")));
    await page.locator(".chart canvas").waitFor();
    const reports = await textOf("section[aria-labelledby=activity]");
    expect(reports).toMatch(/Accepted\.|Refused: |Valid but not paid: /);
    expect(await textOf("section[aria-labelledby=trust]")).toContain("constant_window");
    await page.locator("section[aria-labelledby=rewards] select").selectOption("month");
    await page.getByRole("row", { name: "2026-11" }).waitFor();
    const why = await textOf("section[aria-labelledby=why]");
    expect(why).toMatch(/= base units|It earned nothing in epoch/);
    await page.locator(".small-map [data-ready=true]").waitFor();
    // A report can be signed with a time that no calendar has: nothing else of the page suffers from it.
    await page.route("**/activity*", async (route) => {
      const response = await route.fetch();
      const body = (await response.text()).replaceAll(/"timeMs":\d+/g, `"timeMs":${Number.MAX_SAFE_INTEGER}`);
      await route.fulfill({ response, body });
    });
    // A month of which a validator has only the end is no whole month.
    await page.route("**/v1/status", async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), oldestEpoch: 1 } });
    });
    await show(`/hotspots/${did("hotspot 1")}`);
    await page.getByText("beyond any calendar").first().waitFor();
    await page.locator("section[aria-labelledby=rewards] select").selectOption("month");
    await page.getByRole("row", { name: "2026-11 from epoch 1 on" }).waitFor();
    await page.unroute("**/activity*");
    await page.unroute("**/v1/status");
    expect(opened.complaints).toEqual([]);
  });

  test("takes a reward apart so that the last line is what was paid", async () => {
    const { items } = (await served.fixture.get(`/v1/epochs/${EPOCHS - 1}/rewards`)).json();
    const page = await show(`/hotspots/${items[0].hotspot}`);
    const why = page.locator("section[aria-labelledby=why]");
    await why.locator(".steps").first().waitFor();
    const explained = await served.fixture.get(
      `/v1/hotspots/${items[0].hotspot}/rewards/${EPOCHS - 1}/explain`,
    );
    const { beacons, witnesses } = explained.json();
    const totals = await why.locator("dd.total").allInnerTexts();
    expect(totals.map((text) => text.replaceAll(",", ""))).toEqual([beacons.amount, witnesses.amount]);
    // Typed into the field, another epoch is taken apart.
    const epoch = why.getByLabel("in epoch");
    await epoch.fill("0");
    await epoch.press("Enter");
    await why
      .getByText(/epoch 0/)
      .first()
      .waitFor();
  });

  test("shows an epoch: books, lines, refusals in words, roots, certificate", async () => {
    const page = await show("/epochs");
    await page.getByRole("link", { name: `${EPOCHS - 1}`, exact: true }).click();
    await page.getByRole("heading", { name: `Epoch ${EPOCHS - 1}` }).waitFor();
    await page.getByText(`3 of 4 validators signed`).waitFor();
    expect(await textOf("section[aria-labelledby=evidence]")).toContain(
      "it is stronger than the distance allows",
    );
    // A reason that beacons and witness reports share is told of each.
    await page.route(`**/v1/epochs/${EPOCHS - 1}`, async (route) => {
      const response = await route.fetch();
      const json = await response.json();
      json.beacons.refused = { over_quota: 2 };
      json.witnesses.refused = { over_quota: 5 };
      await route.fulfill({ response, json });
    });
    await show(`/epochs/${EPOCHS - 1}`);
    const told = await textOf("section[aria-labelledby=evidence] li");
    expect(told).toMatch(/Beacons: 2 .*over_quota\nWitness reports: 5 .*over_quota/);
    await page.unroute(`**/v1/epochs/${EPOCHS - 1}`);
    await page.getByText(`3 of 4 validators signed`).waitFor();
    expect(await page.locator("section[aria-labelledby=books] tbody tr").count()).toBe(4);
    expect(await page.locator("section[aria-labelledby=lines] tbody tr").count()).toBeGreaterThan(2);
    expect(opened.complaints).toEqual([]);
  });

  test("shows a validator: stake, seats, addresses, part and pay, rounds led, evidence", async () => {
    const id = did("validator 0");
    const led = { round: 27, epoch: 3, timeMs: START_TIME_MS };
    await opened.page.route("**/v1/validators/*/rounds", (route) =>
      route.fulfill({
        json: {
          items: [
            { ...led, view: 2, decided: true },
            { ...led, round: 26, view: 1, decided: false },
          ],
        },
      }),
    );
    const page = await show("/network");
    await page.locator("section[aria-labelledby=validators] a.key").first().waitFor();
    // The key is a validator's alone, so the search leads there at once.
    await page.goto(`/search?q=${encodeURIComponent(computeName(named("validator 0")))}`);
    await page.getByRole("heading", { name: computeName(named("validator 0")) }).waitFor();
    await page.locator(".chart canvas").waitFor();
    const shown = (await served.fixture.get(`/v1/validators/${id}`)).json();
    expect(await textOf("section[aria-labelledby=addresses]")).toContain(shown.multiaddrs[0]);
    const epochs = page.locator("section[aria-labelledby=participation] tbody tr");
    expect(await epochs.count()).toBe(shown.participation.length);
    const row = shown.participation[0];
    expect(await epochs.first().innerText()).toContain(`${row.rounds} of ${row.epochRounds}`);
    await page.getByLabel("draw").selectOption("pay");
    await page.getByRole("img", { name: "Pay over time" }).waitFor();
    expect(await textOf("section[aria-labelledby=led] tbody")).toMatch(
      /27.*2\s+decided\s+26.*1\s+passed over/s,
    );
    expect(await textOf("section[aria-labelledby=evidence]")).toContain(shown.evidence[0].sentence);
    // One against whom there is nothing, whose turn it never was, and who tells no address.
    await page.unroute("**/v1/validators/*/rounds");
    await page.route("**/v1/validators/*", async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), multiaddrs: [] } });
    });
    await show(`/validators/${did("validator 3")}`);
    const text = await textOf("main");
    expect(text).toContain("It has told the network no address");
    expect(text).toContain("It was not its turn in any of the newest rounds.");
    expect(text).toContain("It has signed no two statements that contradict each other.");
    await page.unroute("**/v1/validators/*");
    expect(opened.complaints).toEqual([]);
  });

  test("says so where there is nothing, and where nothing came", async () => {
    await show(`/hotspots/${did("nobody")}`);
    expect(await textOf("main")).toContain("The network knows no such hotspot.");
    await show(`/accounts/${did("nobody")}`);
    expect(await textOf("main")).toContain("The network knows no such account.");
    await show(`/validators/${did("nobody")}`);
    expect(await textOf("main")).toContain("The network knows no such validator.");
    await show("/epochs/99");
    expect(await textOf("main")).toContain("No such epoch has closed here");
    // Before any epoch has closed.
    const history = createHistory("api", 0);
    const fresh = await createFixture(
      { explorerFolder: site.folder },
      { store: createMemoryStore(history.genesis) },
    );
    const origin = await fresh.api.listen({ host: "127.0.0.1", port: 0 });
    const other = await visit(browser, origin);
    const page = await show("/epochs", other);
    await page.getByText("No epoch has closed yet.").waitFor();
    await show(`/hotspots/${did("hotspot 1")}`, other);
    await page.getByText("nothing is paid yet").waitFor();
    await page.getByText("It has reported nothing").waitFor();
    expect(other.complaints).toEqual([]);
    await other.close();
    await fresh.api.close();
  });

  test("shows a failure with what was asked, and asks again", async () => {
    const { page } = opened;
    for (const [path, route, what] of [
      [`/hotspots/${did("hotspot 1")}`, "**/v1/hotspots/*/activity*", "The reports could not be loaded."],
      [`/accounts/${did("owner 0")}`, "**/v1/accounts/*", "The account could not be loaded."],
      [`/epochs/${EPOCHS - 1}`, "**/v1/epochs/*/rewards*", "The rewards could not be loaded."],
      [`/validators/${did("validator 0")}`, "**/participation*", "The participation could not be loaded."],
    ] as const) {
      await page.route(route, (request) => request.fulfill({ status: 500, body: "broken" }));
      await show(path);
      await page.getByText(what).waitFor();
      expect(await textOf(".failure")).toContain("/v1/");
      await page.unroute(route);
      await page.getByRole("button", { name: "Try again" }).click();
      await page.locator(".failure").first().waitFor({ state: "detached" });
    }
    // While an answer is on its way that is said as well.
    await page.route("**/v1/epochs?*", () => {});
    await page.goto("/epochs");
    await page.getByText("Loading the epochs…").waitFor();
    await page.unroute("**/v1/epochs?*");
  });

  describe("an account's proof", () => {
    const path = `/accounts/${encodeURIComponent(did("owner 0"))}`;
    const check = (to: Visit) => to.page.getByRole("button", { name: "Check it here" }).click();

    test("is checked against the genesis that the reader pinned", async () => {
      const reader = await visit(browser, served.origin);
      const page = await show(path, reader);
      await check(reader);
      // The first time the genesis is shown with its hash, and nothing is believed yet.
      await page.getByText("No genesis is pinned in this browser yet.").waitFor();
      await page.getByText(encodeHex0x(context.networkId)).first().waitFor();
      await page.getByRole("button", { name: "Pin this genesis" }).click();
      await page.getByText("Proven:").waitFor();
      expect(await page.locator(".proven").innerText()).toMatch(
        /1\.23456789 up to the end of epoch 3\. 3 of 4/,
      );
      // The pin outlives the page.
      await show(path, reader);
      await check(reader);
      await page.getByText("Proven:").waitFor();
      // Each check asks for the account too: what it has earned meanwhile is what the next proof proves.
      await page.getByText("The API says another total now").waitFor();
      await page.route("**/v1/accounts/*", async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, json: { ...(await response.json()), earned: "123456789" } });
      });
      const given = page.waitForResponse("**/proof");
      await check(reader);
      // From the click on nothing of the verdict before stands there.
      await given;
      await page.getByText("Proven:").waitFor();
      await page.getByText("The API says another total now").waitFor({ state: "detached" });
      expect(reader.complaints).toEqual([]);
      await reader.close();
    });

    test("is refused when it was tampered with, for the reason that there is", async () => {
      const reader = await visit(browser, served.origin);
      const { page } = reader;
      await page.addInitScript(pinning(encodeHex0x(context.networkId)));
      const { certificate: _, ...proof } = (
        await served.fixture.get(`/v1/accounts/${did("owner 0")}/proof`)
      ).json();
      const { certificate } = (await served.fixture.get(`/v1/accounts/${did("owner 0")}/proof`)).json();
      // One bit of the last signature.
      const flipped = `${certificate.slice(0, -1)}${(Number.parseInt(certificate.at(-1), 16) ^ 1).toString(16)}`;
      for (const [lie, sentence] of [
        [
          { ...proof, certificate, total: "999999999999" },
          "Account and total do not hash to the reward root",
        ],
        [{ ...proof, certificate: flipped }, "The certificate is not signed by a quorum"],
        [{ ...proof, certificate: null }, "No quorum had attested the epoch"],
        [
          { ...proof, certificate, networkId: `0x${"ab".repeat(32)}` },
          "for another network than the genesis",
        ],
        [{ ...proof, certificate, branch: ["0x12"] }, "does not have the form"],
        ["nonsense", "does not have the form"],
      ] as const) {
        await page.route("**/proof", (request) => request.fulfill({ json: lie }));
        await show(path, reader);
        await check(reader);
        await page.getByText("Refused: this proves nothing.").waitFor();
        expect(await page.locator("section[aria-labelledby=proof] .failure").innerText()).toContain(sentence);
        expect(await page.getByText("Proven:").count()).toBe(0);
        await page.unroute("**/proof");
      }
      await reader.close();
    });

    test("of another account does not pass for this one's", async () => {
      const reader = await visit(browser, served.origin);
      const { page } = reader;
      await page.addInitScript(pinning(encodeHex0x(context.networkId)));
      const mine = (await served.fixture.get(`/v1/accounts/${did("owner 0")}/proof`)).json();
      await page.route("**/proof", (request) => request.fulfill({ json: mine }));
      await show(`/accounts/${did("owner 1")}`, reader);
      await check(reader);
      await page.getByText("another account than this page's").waitFor();
      await reader.close();
    });

    test("is not even looked at on a network that is not the pinned one", async () => {
      const reader = await visit(browser, served.origin);
      const { page } = reader;
      await page.addInitScript(pinning(`0x${"12".repeat(32)}`));
      const asked: string[] = [];
      page.on("request", (request) => void asked.push(request.url()));
      await show(path, reader);
      await check(reader);
      await page.getByText("This is not the network that you pinned.").waitFor();
      expect(asked.filter((url) => url.endsWith("/proof"))).toEqual([]);
      await page.getByRole("button", { name: "Forget the pinned genesis" }).click();
      await page.getByText("No genesis is pinned in this browser yet.").waitFor();
      await reader.close();
    });
  });

  test("fits a phone: nothing is wider than the screen", async () => {
    const phone = await visit(browser, served.origin, PHONE);
    for (const path of [
      "/hotspots",
      `/hotspots/${did("hotspot 1")}`,
      `/accounts/${did("owner 0")}`,
      "/epochs",
      "/epochs/3",
      `/validators/${did("validator 0")}`,
    ]) {
      const page = await show(path, phone);
      const excess = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
      expect([path, excess]).toEqual([path, 0]);
    }
    expect(phone.complaints).toEqual([]);
    await phone.close();
  });

  test("takes hostile texts as texts", async () => {
    const { page } = opened;
    const hostile = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';
    await page.route("**/v1/hotspots?*", async (request) => {
      const answer = await request.fetch();
      const json = await answer.json();
      json.items[0].name = hostile;
      await request.fulfill({ json });
    });
    await show("/hotspots");
    await page.getByText(hostile).waitFor();
    expect(await page.evaluate("'hacked' in window")).toBe(false);
    await page.unroute("**/v1/hotspots?*");
    expect(opened.complaints).toEqual([]);
  });
});

test.skipIf(chromium !== null)("the explorer's pages were not shown: there is no Chromium here", () => {});
