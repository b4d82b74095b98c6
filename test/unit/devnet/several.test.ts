/** What `npm start` says of its validators, and what it may be told to do to them. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { computeLeaders } from "../../../protocol/src/agreement/leaders.ts";
import { parseOptions } from "../../devnet/src/options.ts";
import { computeLeader, findClosed } from "../../devnet/src/several.ts";
import { type DevnetStatus, renderStatus } from "../../devnet/src/view.ts";
import { createGenesis, createWorld } from "../../devnet/src/world.ts";

describe("the options", () => {
  test("are four validators and no faults where nothing is said", () => {
    expect(parseOptions([])).toMatchObject({ ok: true, options: { validators: 4, faults: [] } });
  });

  test("bring faults into the order of their times", () => {
    const args = ["--restart", "1@40", "--kill", "1@20", "--kill", "2@50"];
    expect(parseOptions(args)).toMatchObject({
      ok: true,
      options: {
        faults: [
          { kind: "kill", validator: 1, atSeconds: 20 },
          { kind: "restart", validator: 1, atSeconds: 40 },
          { kind: "kill", validator: 2, atSeconds: 50 },
        ],
      },
    });
  });

  test("name no validator that there is not", () => {
    const parsed = parseOptions(["--validators", "2", "--kill", "2@1", "--restart", "x@1"]);
    expect(parsed).toMatchObject({
      ok: false,
      errors: [/2@1/, /x@1/].map((part) => expect.stringMatching(part)),
    });
  });
});

describe("the leader shown", () => {
  const genesis = createGenesis(createWorld(1, 1, 4), "test", 0);
  const { roundsPerEpoch } = genesis.parameters;
  const seedOf = (epoch: number) => new Uint8Array(32).fill(epoch);
  const closed = [0, 1].map((epoch) => ({ epoch, nextSeed: seedOf(epoch + 1) }));

  test("is that of the deciding view, by the seed of the epoch before", () => {
    const round = 2 * roundsPerEpoch + 3;
    for (const view of [1, 2, 5])
      expect(computeLeader({ round, view }, genesis, closed)).toBe(
        computeLeaders(seedOf(1), round, 4)[(view - 1) % 4],
      );
    for (const early of [0, roundsPerEpoch])
      expect(computeLeader({ round: early, view: 1 }, genesis, closed)).toBe(
        computeLeaders(genesis.seed, early, 4)[0],
      );
  });

  test("is nobody while that seed is not known here", () => {
    expect(computeLeader({ round: 2 * roundsPerEpoch, view: 1 }, genesis, [])).toBeNull();
  });
});

test("an epoch is replayed at a validator that runs and has closed it", async () => {
  const servers = [3, 2, 4, null].map((closedEpoch) =>
    createServer((_, response) => void response.end(JSON.stringify({ closedEpoch }))).listen(0, "127.0.0.1"),
  );
  await Promise.all(servers.map((server) => once(server, "listening")));
  const roles = servers.map((server, index) => ({
    // The first has closed it, and was killed since.
    isUp: () => index > 0,
    ready: () => {
      const { port } = server.address() as AddressInfo;
      return { http: `http://127.0.0.1:${port}`, multiaddrs: [], did: "" };
    },
  }));
  expect(await findClosed(roles, 3)).toBe(2);
  expect(await findClosed(roles, -1)).toBe(1);
  await expect(findClosed(roles, 5)).rejects.toThrow("no validator that runs has closed epoch 5");
  for (const server of servers) server.close();
});

test("the picture says who is down, who is behind, who led and how often a leader was passed over", () => {
  const status: DevnetStatus = {
    network: "n",
    apiUrl: "http://127.0.0.1:1",
    uptimeMs: 0,
    round: 30,
    epoch: 1,
    roundInEpoch: 10,
    roundsPerEpoch: 20,
    validatorUp: true,
    several: {
      validators: [
        { round: 30, viewChanges: 7 },
        null,
        { round: 29, viewChanges: 5 },
        { round: 12, viewChanges: 0 },
      ],
      viewChanges: 7,
      leader: 2,
    },
    hotspotsUp: 1,
    hotspots: 1,
    beaconsSent: 0,
    witnessesJudged: {},
    beaconsClosed: 0,
    witnessesAccepted: 0,
    witnessesRefused: {},
    paid: 0n,
    epochs: [],
    events: [],
  };
  const lines = renderStatus(status).join("\n");
  expect(lines).toContain("validators   0 up, 1 DOWN, 2 up, 3 18 rounds behind\n");
  expect(lines).toContain("agreement    last round led by validator 2, 7 view changes\n");
});
