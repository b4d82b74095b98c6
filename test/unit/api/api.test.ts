/** Every endpoint: what it answers with over a known history, and how it refuses. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { encodeHex, encodeHex0x } from "../../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { computeName } from "../../../protocol/src/crypto/names.ts";
import { verifyProofJson } from "../../../protocol/src/reward/proofJson.ts";
import { encodeEnvelope } from "../../../protocol/src/wire/envelope.ts";
import { named, ROUNDS_PER_EPOCH } from "../store/history.ts";
import { createFixture, did, EPOCHS, type Fixture, refuse } from "./apiFixture.ts";

let fixture: Fixture;
beforeEach(async () => {
  fixture = await createFixture();
});
afterEach(async () => {
  await fixture.api.close();
  expect(fixture.errors).toEqual([]);
});

/** Follows `next` to the end. */
async function listAll(url: string): Promise<Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = [];
  const join = url.includes("?") ? "&" : "?";
  for (let next: string | null = ""; next !== null; ) {
    const response = await fixture.get(next === "" ? url : `${url}${join}cursor=${next}`);
    expect(response.statusCode).toBe(200);
    items.push(...response.json().items);
    next = response.json().next;
  }
  return items;
}

describe("status", () => {
  test("says where the validator stands", async () => {
    const response = await fixture.get("/v1/status");
    expect(response.json()).toMatchObject({
      network: { name: "test network", id: encodeHex0x(named("network")), roundMs: 200 },
      validator: did("validator"),
      ready: true,
      peers: 3,
      round: EPOCHS * ROUNDS_PER_EPOCH + 1,
      epoch: EPOCHS,
      closedEpoch: EPOCHS - 1,
      hotspots: 9,
    });
  });

  test("gives the genesis file, once to each who keeps it", async () => {
    const { headers, body } = await fixture.get("/v1/genesis");
    expect([headers.etag, body]).toEqual([`"${encodeHex0x(named("network"))}"`, '{"name":"test network"}']);
    for (const [known, status] of [
      [`${headers.etag}`, 304],
      [`"another", W/${headers.etag}`, 304],
      ["*", 304],
      [`"another"`, 200],
    ] as const) {
      const again = await fixture.get("/v1/genesis", { "if-none-match": known });
      expect([known, again.statusCode]).toEqual([known, status]);
    }
  });

  test("gives the newest round with its certificate", async () => {
    const { commit } = fixture.history.commits.at(-1)!;
    expect((await fixture.get("/v1/rounds/latest")).json()).toMatchObject({
      round: commit.result.round,
      finalCert: encodeHex0x(commit.finalCert),
      batches: commit.batchDigests.map(encodeHex0x),
    });
  });

  test("answers the probes, and Prometheus", async () => {
    expect((await fixture.get("/livez")).json()).toEqual({ status: "ok" });
    expect((await fixture.get("/readyz")).json()).toEqual({ status: "ok" });
    fixture.notReady = "Still executing old rounds.";
    expect((await fixture.get("/livez")).statusCode).toBe(200);
    const notReady = await fixture.get("/readyz");
    expect(notReady.statusCode).toBe(503);
    expect(notReady.json().detail).toBe("Still executing old rounds.");
    expect((await fixture.get("/metrics")).body).toBe("# HELP up Up.\n");
  });
});

describe("epochs", () => {
  test("are listed newest first, page after page", async () => {
    const epochs = await listAll("/v1/epochs?limit=3");
    expect(epochs.map((e) => e.epoch)).toEqual([3, 2, 1, 0]);
  });

  test("show their books in base units", async () => {
    const close = fixture.history.commits[ROUNDS_PER_EPOCH - 1]!.commit.result.epochClose!;
    const epoch = (await fixture.get("/v1/epochs/0")).json();
    expect(epoch.pools.validators).toEqual({
      emitted: "4611686018427387903",
      carriedIn: "4",
      paid: "4611686018427387903",
      carriedOut: "4",
    });
    expect(epoch.witnesses.refused).toEqual(close.witnessesRefused);
    expect(epoch.rewardRoot).toBe(encodeHex0x(close.rewardRoot));
    expect((await fixture.get("/v1/epochs/latest")).json().epoch).toBe(EPOCHS - 1);
    expect((await fixture.get("/v1/epochs/999")).statusCode).toBe(404);
  });

  test("are not sent twice to a client that has them", async () => {
    const first = await fixture.get("/v1/epochs/0");
    expect(first.headers["cache-control"]).toContain("immutable");
    const etag = String(first.headers.etag);
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
      const second = await fixture.get("/v1/epochs/0", { "if-none-match": known });
      expect([second.statusCode, second.body]).toEqual([304, ""]);
    }
    const latest = await fixture.get("/v1/epochs/latest", { "if-none-match": etag });
    expect(latest.statusCode).toBe(200);
    expect(latest.headers["cache-control"]).not.toContain("immutable");
    const rewards = await fixture.get("/v1/epochs/0/rewards", { "if-none-match": etag });
    expect(rewards.statusCode).toBe(200);
    const csv = await fixture.get("/v1/epochs/0/rewards?format=csv", {
      "if-none-match": String(rewards.headers.etag),
    });
    expect(csv.statusCode).toBe(200);
  });

  test("show what they paid, by rank, as JSON and as CSV", async () => {
    const lines = await listAll("/v1/epochs/0/rewards?limit=2");
    const close = fixture.history.commits[ROUNDS_PER_EPOCH - 1]!.commit.result.epochClose!;
    expect(lines).toHaveLength(close.lines.length);
    for (const line of lines) {
      expect(BigInt(String(line.beaconPaid)) + BigInt(String(line.witnessPaid))).toBe(
        BigInt(String(line.paid)),
      );
    }
    for (const csv of [
      await fixture.get("/v1/epochs/0/rewards?format=csv"),
      await fixture.get("/v1/epochs/0/rewards", { accept: "text/csv" }),
    ]) {
      expect(csv.headers["content-type"]).toBe("text/csv; charset=utf-8");
      const [header, ...rows] = csv.body
        .trimEnd()
        .split("\r\n")
        .map((row) => row.split(","));
      const objects = rows.map((row) => Object.fromEntries(row.map((cell, i) => [header![i], cell])));
      expect(objects).toEqual(
        lines.map((line) =>
          Object.fromEntries(Object.entries(line).map(([key, value]) => [key, String(value)])),
        ),
      );
    }
    const two = await fixture.get("/v1/epochs/0/rewards?format=csv&limit=2");
    expect(two.body.trimEnd().split("\r\n")).toHaveLength(3);
  });
});

describe("hotspots", () => {
  test("are found by owner, cell and status", async () => {
    const all = await listAll("/v1/hotspots?limit=2");
    expect(all).toHaveLength(9);
    expect(all[0]).toMatchObject({
      id: did("hotspot 0"),
      name: computeName(named("hotspot 0")),
      owner: did("owner 0"),
    });
    const owned = await listAll(`/v1/hotspots?limit=2&owner=${did("owner 1")}`);
    expect(owned.map((h) => h.id)).toEqual(["hotspot 1", "hotspot 4", "hotspot 7"].map(did));
    const byHex = await listAll(`/v1/hotspots?owner=${encodeHex(named("owner 1"))}`);
    expect(byHex).toEqual(owned);
    const inLyon = await listAll("/v1/hotspots?limit=2&cell=841f90dffffffff");
    expect(inLyon).toHaveLength(6);
    const unasserted = await listAll("/v1/hotspots?status=unasserted");
    expect(unasserted.map((h) => h.id)).toEqual([did("hotspot 8")]);
    expect((await listAll("/v1/hotspots?status=active")).length).toBeGreaterThan(0);
  });

  test("are one by one known by did:key and by hexadecimal", async () => {
    const hotspot = (await fixture.get(`/v1/hotspots/${did("hotspot 1")}`)).json();
    expect(hotspot).toMatchObject({
      assertion: { latitude: 45.7600001, longitude: -4.83, gainDbi: 1.2, elevationM: -3, region: "EU868" },
      bond: "1000000000",
      registeredEpoch: -2,
    });
    for (const id of [encodeHex(named("hotspot 1")), encodeHex0x(named("hotspot 1"))]) {
      expect((await fixture.get(`/v1/hotspots/${id}`)).json()).toEqual(hotspot);
    }
    expect(hotspot.device).toBeNull();
    const bound = (await fixture.get(`/v1/hotspots/${did("hotspot 0")}`)).json();
    expect(bound.device).toEqual({ key: `0x02${encodeHex(named("device"))}`, fromEpoch: 1 });
    expect((await fixture.get(`/v1/hotspots/${did("nobody")}`)).statusCode).toBe(404);
    const bad = await fixture.get("/v1/hotspots/somebody");
    expect(bad.statusCode).toBe(400);
    expect(bad.json().errors[0].field).toBe("id");
  });

  test("are told of the second time as the first", async () => {
    const ask = async () => {
      const { statusCode, headers, body } = await fixture.get(`/v1/hotspots/${did("hotspot 2")}`);
      const { date, "ratelimit-remaining": _, ...rest } = headers;
      return { statusCode, rest, body };
    };
    expect(await ask()).toEqual(await ask());
  });

  test("show what they earned, by epoch, day and month", async () => {
    const url = `/v1/hotspots/${did("hotspot 0")}/rewards`;
    const byEpoch = (await fixture.get(url)).json();
    expect([byEpoch.from, byEpoch.to]).toEqual([0, EPOCHS - 1]);
    const sum = (items: { paid: string }[]) => items.reduce((total, { paid }) => total + BigInt(paid), 0n);
    for (const bucket of ["day", "month"]) {
      const buckets = (await fixture.get(`${url}?bucket=${bucket}`)).json();
      expect(sum(buckets.items)).toBe(sum(byEpoch.items));
    }
    const one = await fixture.get(`${url}?from=1&to=1`);
    expect(one.headers["cache-control"]).toContain("immutable");
    expect(one.json().items.every((b: { firstEpoch: number }) => b.firstEpoch === 1)).toBe(true);
    const csv = await fixture.get(`${url}?format=csv`);
    expect(csv.body.split("\r\n")).toHaveLength(byEpoch.items.length + 2);
    expect((await fixture.get(`${url}?bucket=week`)).statusCode).toBe(400);
    expect((await fixture.get(`/v1/hotspots/${did("nobody")}/rewards`)).statusCode).toBe(404);
  });

  test("refuse a range that ends before it begins", async () => {
    const response = await fixture.get(`/v1/hotspots/${did("hotspot 1")}/rewards?from=3&to=1`);
    expect([response.statusCode, response.json().errors[0].field]).toEqual([400, "from"]);
  });

  test("refuse a range that is too wide to sum", async () => {
    const { api } = await createFixture({}, {});
    await api.close();
    const latest = { ...(await fixture.store.getEpoch(0))!, epoch: 20_000 };
    const wide = await createFixture({}, { store: { ...fixture.store, latestEpoch: async () => latest } });
    const response = await wide.get(`/v1/hotspots/${did("hotspot 0")}/rewards?from=0`);
    expect([response.statusCode, response.json().errors[0].field]).toEqual([400, "from"]);
    await wide.api.close();
  });

  test("show their activity with verdicts and reasons", async () => {
    const seen = new Set<unknown>();
    for (let i = 0; i < 9; i++) {
      for (const item of await listAll(`/v1/hotspots/${did(`hotspot ${i}`)}/activity?limit=3`)) {
        seen.add(item.reason);
        if (item.kind === "witness") expect(item.measurement).not.toBeNull();
        if (item.kind === "beacon")
          expect(item.report).toMatchObject({ powerDbm: 14, frequencyHz: 868_100_000 });
      }
    }
    expect([...seen]).toEqual(
      expect.arrayContaining([null, "too_close", "rssi_above_ceiling", "proof_mismatch", "over_witness_cap"]),
    );
  });
});

describe("beacons", () => {
  test("show the whole evidence", async () => {
    const id = `${encodeHex(named("beacon 7"))}-0`;
    const beacon = (await fixture.get(`/v1/beacons/${id}`)).json();
    expect(beacon).toMatchObject({ id, verdict: "accepted", reason: null, truncated: false });
    expect(beacon.closing).toMatchObject({
      closedEpoch: 1,
      eirpDbm: 15.2,
      witnesses: { accepted: 2, unpaid: 1, refused: 1 },
      units: { paidWitnesses: 2, perWitnessPpm: 900_000, beaconerPpm: 700_000 },
    });
    expect(beacon.witnesses.length).toBeGreaterThan(0);
    for (const witness of beacon.witnesses) {
      expect(witness.beacon).toBe(id);
      expect(witness.distanceM).toBeGreaterThanOrEqual(300);
      const isPaid = witness.verdict === "accepted" && witness.reason === null;
      expect(witness.unitsPpm).toBeGreaterThanOrEqual(isPaid ? 300_000 : 0);
    }
  });

  test("that are open have no closing yet, and unknown ones are none", async () => {
    const last = EPOCHS * ROUNDS_PER_EPOCH + 1;
    expect(
      (await fixture.get(`/v1/beacons/${encodeHex(named(`beacon ${last}`))}-0`)).json().closing,
    ).toBeNull();
    expect((await fixture.get(`/v1/beacons/${encodeHex(named("nothing"))}-0`)).statusCode).toBe(404);
    expect((await fixture.get(`/v1/beacons/${encodeHex(named("beacon 7"))}-16`)).statusCode).toBe(400);
    expect((await fixture.get("/v1/beacons/nonsense")).statusCode).toBe(400);
  });
});

describe("accounts", () => {
  test("show balances beyond what a number holds", async () => {
    const rich = fixture.history.genesis.accounts[1]!;
    const untouched = fixture.history.commits.every(({ commit }) =>
      commit.result.accountsChanged.every((a) => encodeDidKey(a.key) !== encodeDidKey(rich.key)),
    );
    const account = (await fixture.get(`/v1/accounts/${did("owner 1")}`)).json();
    if (untouched) expect(account.balance).toBe("18446744073709551615");
    expect(account.balance).toBe(`${(await fixture.store.getAccount(rich.key))!.balance}`);
    expect((await fixture.get(`/v1/accounts/${did("nobody")}`)).statusCode).toBe(404);
  });

  test("give a proof that verifies as it comes", async () => {
    const proof = (await fixture.get(`/v1/accounts/${did("owner 0")}/proof`)).json();
    expect(verifyProofJson(proof)).toMatchObject({ valid: true, account: did("owner 0"), epoch: EPOCHS - 1 });
    expect(verifyProofJson({ ...proof, total: "1000" })).toMatchObject({ valid: false });
    expect((await fixture.get(`/v1/accounts/${did("nobody")}/proof`)).statusCode).toBe(404);
  });
});

describe("the map", () => {
  test("is GeoJSON of closed rings, page after page", async () => {
    const features = [];
    let cursor = "";
    do {
      const response = await fixture.get(`/v1/coverage?resolution=8&limit=1${cursor}`);
      expect(response.headers["content-type"]).toBe("application/geo+json; charset=utf-8");
      const page = response.json();
      expect([page.type, page.epoch, page.resolution]).toEqual(["FeatureCollection", EPOCHS - 1, 8]);
      features.push(...page.features);
      cursor = page.next === null ? "" : `&cursor=${page.next}`;
    } while (cursor !== "");
    expect(features.length).toBe(fixture.history.commits[5]!.commit.result.epochClose!.coverage.length);
    for (const { geometry, id, properties } of features) {
      expect(properties.cell).toBe(id);
      expect(geometry.coordinates[0].at(0)).toEqual(geometry.coordinates[0].at(-1));
    }
    const coarse = (await fixture.get("/v1/coverage?resolution=3")).json();
    expect(coarse.features).toHaveLength(2);
    const part = (await fixture.get("/v1/coverage?resolution=8&cell=841f90dffffffff")).json();
    expect(part.features.length).toBeLessThan(features.length);
    expect((await fixture.get("/v1/coverage?resolution=3&cell=841f90dffffffff")).statusCode).toBe(400);
    expect((await fixture.get("/v1/coverage?resolution=9")).statusCode).toBe(400);
    expect((await fixture.get("/v1/coverage?epoch=99")).json().features).toEqual([]);
  });

  test("shows a cell of any size with its hotspots", async () => {
    const cell = (await fixture.get("/v1/cells/841f90dffffffff")).json();
    expect(cell).toMatchObject({ cell: "841f90dffffffff", resolution: 4, epoch: EPOCHS - 1 });
    expect(cell.hotspots).toHaveLength(6);
    expect(cell.coverage.cell).toBe("841f90dffffffff");
    const fine = (await fixture.get("/v1/cells/8c1f90d24a1a5ff")).json();
    expect(fine.coverage.cell).toBe("881f90d24bfffff");
    expect(fine.hotspots.length).toBeGreaterThan(0);
    const empty = (await fixture.get("/v1/cells/8c58e0682d69dff")).json();
    expect([empty.coverage, empty.hotspots]).toEqual([null, []]);
    expect((await fixture.get("/v1/cells/8d58e0682d69d7f")).statusCode).toBe(400);
    expect((await fixture.get("/v1/cells/zzz")).statusCode).toBe(400);
  });
});

describe("transactions", () => {
  const post = (payload: unknown, headers = {}) =>
    fixture.api.inject({ method: "POST", url: "/v1/transactions", payload: payload as object, headers });

  test("are admitted, or refused with the reason", async () => {
    const admitted = await post({ envelope: "0x0102ff" });
    expect([admitted.statusCode, admitted.json()]).toEqual([202, { id: encodeHex0x(named("transaction")) }]);
    expect(fixture.submitted).toEqual([Uint8Array.of(1, 2, 255)]);
    for (const [reason, status] of [
      ["bad_signature", 422],
      ["rate_limited", 429],
      ["busy", 503],
      ["malformed", 400],
      ["oversized", 413],
    ] as const) {
      fixture.submission = refuse(reason);
      const refused = await post({ envelope: "00" });
      expect([refused.statusCode, refused.json().reason]).toEqual([status, reason]);
      expect(refused.headers["content-type"]).toBe("application/problem+json; charset=utf-8");
    }
  });

  test("are told of from admission to verdict", async () => {
    const id = encodeHex0x(named("transaction"));
    expect((await fixture.get(`/v1/transactions/${id}`)).statusCode).toBe(404);
    fixture.pending = [id.slice(2)];
    expect((await fixture.get(`/v1/transactions/${id}`)).json()).toEqual({
      id,
      verdict: "pending",
      reason: null,
      kind: null,
      type: null,
      sender: null,
      round: null,
    });
    for (const { commit } of fixture.history.commits.slice(-6)) {
      for (const { id: key, reason } of commit.result.transactions) {
        // An id that has moved on is told of by its round, whatever was known of it before.
        fixture.pending = [encodeHex(key)];
        expect((await fixture.get(`/v1/transactions/${encodeHex(key)}`)).json()).toEqual({
          id: encodeHex0x(key),
          verdict: reason === null ? "accepted" : "refused",
          reason,
          kind: "transfer",
          type: "transfer",
          sender: did("owner 0"),
          round: commit.result.round,
        });
      }
    }
    for (const bad of ["0x12", "latest", `${id}00`]) {
      expect((await fixture.get(`/v1/transactions/${bad}`)).statusCode).toBe(400);
    }
  });

  test("are not reports", async () => {
    const sender = named("hotspot 0");
    const reports = encodeEnvelope({ kind: "reports", sender, body: sender, signature: new Uint8Array(64) });
    const response = await post({ envelope: encodeHex(reports) });
    expect([response.statusCode, response.json().reason]).toEqual([422, "unknown_kind"]);
    expect(fixture.submitted).toEqual([]);
  });

  test("that are no envelope in JSON are not looked at", async () => {
    const json = { "content-type": "application/json" };
    const cases: [unknown, Record<string, string>, number][] = [
      [{}, {}, 400],
      [{ envelope: "xyz" }, {}, 400],
      [{ envelope: "abc" }, {}, 400],
      [{ envelope: "00", more: 1 }, {}, 400],
      [{ envelope: 5 }, {}, 400],
      ['{"envelope":', json, 400],
      ["[".repeat(2_000), json, 400],
      ['{"__proto__":{"envelope":"00"}}', json, 400],
      ["null", json, 400],
      ["envelope=00", { "content-type": "application/x-www-form-urlencoded" }, 415],
      [{ envelope: "00".repeat(100_000) }, {}, 413],
    ];
    for (const [payload, headers, status] of cases) {
      const response = await post(payload, headers);
      expect([String(payload).slice(0, 20), response.statusCode]).toEqual([
        String(payload).slice(0, 20),
        status,
      ]);
      expect(response.headers["content-type"]).toBe("application/problem+json; charset=utf-8");
    }
    expect(fixture.submitted).toEqual([]);
  });
});

describe("the API as a whole", () => {
  test("describes itself in OpenAPI 3.1, every route with its answers", async () => {
    const description = (await fixture.get("/openapi.json")).json();
    expect(description.openapi).toBe("3.1.0");
    expect(Object.keys(description.paths).sort()).toEqual([
      "/livez",
      "/metrics",
      "/readyz",
      "/v1/accounts/{id}",
      "/v1/accounts/{id}/proof",
      "/v1/accounts/{id}/rewards",
      "/v1/beacons/{id}",
      "/v1/cells/{cell}",
      "/v1/coverage",
      "/v1/epochs",
      "/v1/epochs/{epoch}",
      "/v1/epochs/{epoch}/certificate",
      "/v1/epochs/{epoch}/checkpoint",
      "/v1/epochs/{epoch}/rewards",
      "/v1/events",
      "/v1/evidence",
      "/v1/export/rewards",
      "/v1/genesis",
      "/v1/hotspots",
      "/v1/hotspots/{id}",
      "/v1/hotspots/{id}/activity",
      "/v1/hotspots/{id}/links",
      "/v1/hotspots/{id}/rewards",
      "/v1/hotspots/{id}/rewards/{epoch}/explain",
      "/v1/hotspots/{id}/trust",
      "/v1/map",
      "/v1/messages/{id}",
      "/v1/rounds/latest",
      "/v1/rounds/{round}",
      "/v1/search",
      "/v1/stakes",
      "/v1/status",
      "/v1/transactions",
      "/v1/transactions/{id}",
      "/v1/trust/penalties",
      "/v1/validators",
      "/v1/validators/{id}",
      "/v1/validators/{id}/participation",
      "/v1/validators/{id}/rounds",
    ]);
    for (const [path, methods] of Object.entries<Record<string, { responses: object; summary?: string }>>(
      description.paths,
    )) {
      for (const { responses, summary } of Object.values(methods)) {
        expect(summary, path).toBeDefined();
        expect(
          Object.keys(responses).some((status) => status.startsWith("2")),
          path,
        ).toBe(true);
      }
    }
  });

  test("has a documentation page that loads nothing from elsewhere", async () => {
    const page = await fixture.api.inject("/docs");
    const html = page.statusCode === 302 ? await fixture.api.inject(String(page.headers.location)) : page;
    expect(html.statusCode).toBe(200);
    expect(html.body).toContain("swagger-ui");
    expect(html.body).not.toMatch(/(src|href)="https?:/);
  });

  test("names every field that is at fault", async () => {
    const response = await fixture.get("/v1/hotspots?limit=0&status=asleep&owner=&colour=red");
    expect(response.statusCode).toBe(400);
    const { errors } = response.json();
    const fields = errors.map((e: { field: string }) => e.field);
    expect(fields.sort()).toEqual(["colour", "limit", "owner", "status"]);
    expect(errors.find((e: { field: string }) => e.field === "status").message).toMatch(
      /^must be one of active, /,
    );
  });

  test("answers what it does not know with a problem", async () => {
    for (const url of [
      "/",
      "/v1",
      "/v2/status",
      "/v1/epochs/1/2/3",
      "/v1/hotspots/%zz",
      "/../../etc/passwd",
      "/docs/static/..%2f..%2fpackage.json",
    ]) {
      const response = await fixture.api.inject(url);
      expect([url, [400, 404].includes(response.statusCode)]).toEqual([url, true]);
      expect([url, response.headers["content-type"]]).toEqual([
        url,
        "application/problem+json; charset=utf-8",
      ]);
    }
  });

  test("tells a wrong method from a wrong path", async () => {
    for (const [method, url, allowed] of [
      ["PUT", "/v1/status", "GET, HEAD"],
      ["DELETE", `/v1/hotspots/${did("hotspot 1")}?x=1`, "GET, HEAD"],
      ["GET", "/v1/transactions", "POST"],
      ["POST", "/metrics", "GET, HEAD"],
    ] as const) {
      const response = await fixture.api.inject({ method, url });
      expect([url, response.statusCode, response.headers.allow]).toEqual([url, 405, allowed]);
      expect(response.json().title).toBe("Method Not Allowed");
    }
    const nowhere = await fixture.api.inject({ method: "PUT", url: "/v1/hotspots/a/b/c" });
    expect([nowhere.statusCode, nowhere.headers.allow]).toEqual([404, undefined]);
  });

  test("counts every request by its route's pattern, never by its path", async () => {
    await fixture.get(`/v1/hotspots/${did("hotspot 1")}`);
    await fixture.get("/v1/epochs/77");
    await fixture.api.inject("/whatever/is/asked");
    expect(fixture.observed.map(({ route, status }) => [route, status])).toEqual([
      ["/v1/hotspots/:id", 200],
      ["/v1/epochs/:epoch", 404],
      ["unmatched", 404],
    ]);
    expect(fixture.observed.every(({ seconds }) => seconds >= 0)).toBe(true);
  });

  test("keeps a bug's cause to itself", async () => {
    const broken = async () => {
      throw new Error("the disk's serial number");
    };
    const failing = await createFixture({}, { store: { ...fixture.store, latestEpoch: broken } });
    const response = await failing.get("/v1/epochs/latest");
    expect(response.statusCode).toBe(500);
    expect(response.body).not.toContain("serial");
    expect(failing.errors.join()).toContain("serial");
    await failing.api.close();
  });

  test("lets nobody keep a failure in place of an answer that never changes", async () => {
    const fail = async () => {
      throw new Error("the disk");
    };
    const store = { ...fixture.store, listRewardLines: fail, listHotspotRewards: fail };
    const broken = await createFixture({}, { store });
    const range = `from=0&to=${EPOCHS - 1}`;
    for (const url of [
      "/v1/epochs/0/rewards",
      `/v1/hotspots/${did("hotspot 0")}/rewards?${range}`,
      `/v1/hotspots/${did("hotspot 0")}/rewards?${range}&format=csv`,
    ]) {
      const { statusCode, headers } = await broken.get(url);
      expect([statusCode, headers["cache-control"]]).toEqual([500, "no-store"]);
      for (const name of ["etag", "last-modified", "content-disposition"])
        expect(headers).not.toHaveProperty(name);
    }
    await broken.api.close();
  });

  test("limits the rate of an address, says so in headers, and lets probes pass", async () => {
    const limited = await createFixture({ requestsPerMinute: 2 });
    const first = await limited.get("/v1/status");
    expect(first.headers["ratelimit-limit"]).toBe("2");
    expect(first.headers["ratelimit-remaining"]).toBe("1");
    await limited.get("/nothing/here");
    const third = await limited.get("/v1/status");
    expect(third.statusCode).toBe(429);
    expect(third.headers["retry-after"]).toBeDefined();
    expect((await limited.get("/livez")).statusCode).toBe(200);
    await limited.api.close();
  });

  test("counts those behind a trusted proxy apart, and believes no other's word of who asks", async () => {
    const behind = await createFixture({ requestsPerMinute: 1, trustProxies: ["127.0.0.0/8"] });
    const from = async (limited: Fixture, client: string) =>
      (await limited.get("/v1/status", { "x-forwarded-for": client })).statusCode;
    expect([await from(behind, "192.0.2.1"), await from(behind, "192.0.2.2")]).toEqual([200, 200]);
    // What a client writes into the header itself stands before what the proxy adds.
    expect(await from(behind, "198.51.100.7, 192.0.2.1")).toBe(429);
    await behind.api.close();
    const direct = await createFixture({ requestsPerMinute: 1 });
    expect([await from(direct, "192.0.2.1"), await from(direct, "192.0.2.2")]).toEqual([200, 429]);
    await direct.api.close();
  });

  test("lets no other origin in unless it was named", async () => {
    const origin = "https://explorer.example";
    expect(
      (await fixture.get("/v1/status", { origin })).headers["access-control-allow-origin"],
    ).toBeUndefined();
    const open = await createFixture({ corsOrigins: [origin] });
    expect((await open.get("/v1/status", { origin })).headers["access-control-allow-origin"]).toBe(origin);
    const tagged = await open.get("/v1/epochs/0", { origin });
    expect(tagged.headers.vary).toBe("origin, accept");
    const other = await open.get("/v1/status", { origin: "https://other.example" });
    expect(other.headers["access-control-allow-origin"]).toBeUndefined();
    const preflight = await open.api.inject({
      method: "OPTIONS",
      url: "/v1/transactions",
      headers: { origin },
    });
    expect(preflight.statusCode).toBe(204);
    expect(preflight.headers["access-control-allow-methods"]).toContain("POST");
    await open.api.close();
    const toAll = await createFixture({ corsOrigins: ["*"] });
    const anybody = await toAll.get("/v1/status", { origin: "https://other.example" });
    expect(anybody.headers["access-control-allow-origin"]).toBe("https://other.example");
    expect(anybody.headers["access-control-allow-credentials"]).toBeUndefined();
    await toAll.api.close();
  });
});
