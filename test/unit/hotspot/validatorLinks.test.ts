import { describe, expect, test } from "vitest";
import { createSystemClock } from "../../../node/src/host/clock.ts";
import { CodedError } from "../../../node/src/host/codedError.ts";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { MAX_VALIDATOR_LINKS, ValidatorLinks } from "../../../node/src/hotspot/validatorLinks.ts";
import type { ValidatorAddress } from "../../../protocol/src/agreement/setAnswers.ts";
import { newKey } from "./fakeValidator.ts";

const keys = Array.from({ length: 6 }, newKey);
const addressOf = (i: number) => `/ip4/10.0.0.${i}/tcp/1`;

/** Links over a network in which some addresses answer; each pass of time is one tick. */
async function createLinks(
  addresses: readonly string[],
  answers: (address: string) => number | null,
  askForSets: (members: Set<number>) => void = () => undefined,
) {
  let nowMs = 0;
  let setByMs = 0;
  let tick = () => {};
  const up = new Set<string>();
  const dialled: { address: string; atMs: number }[] = [];
  const members = new Set([0, 1, 2, 3, 4]);
  const known = { addresses: [] as ValidatorAddress[], change: () => {}, reached: [] as string[] };
  const links = new ValidatorLinks(
    { addresses },
    {
      sets: {
        isMember: (key) => members.has(keys.findIndex(({ publicKey }) => publicKey === key)),
        addresses: () => known.addresses,
        noteReached: ({ multiaddr }) => void known.reached.push(multiaddr),
        onChange: (callback) => {
          known.change = callback;
        },
      },
      askForSets: async () => askForSets(members),
      network: {
        connect: async (address) => {
          dialled.push({ address, atMs: nowMs });
          const key = answers(address);
          if (key === null) throw new CodedError("peer_unreachable", "nobody there");
          up.add(String(key));
          return { peerId: String(key), publicKey: keys[key]!.publicKey };
        },
        isConnected: (peerId) => up.has(peerId),
        disconnect: async (peerId) => void up.delete(peerId),
      },
      clock: {
        ...createSystemClock(),
        nowMs: () => nowMs + setByMs,
        elapsedMs: () => nowMs,
        every: (_, callback) => {
          tick = callback;
          return () => undefined;
        },
      },
      log: createSilentLog(),
      random: () => Uint8Array.of(255, 255, 255, 255),
    },
  );
  links.start(new AbortController().signal);
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  await settle();
  const pass = async (ms: number) => {
    for (const end = nowMs + ms; nowMs < end; ) {
      nowMs += 500;
      tick();
      await settle();
    }
  };
  /** Sets the wall clock: no time passes. */
  const set = (byMs: number): void => {
    setByMs += byMs;
  };
  return { links, up, dialled, pass, members, known, set };
}

describe("links to validators", () => {
  test("are a few, each validator once, and no more are dialled", async () => {
    // The last address is another one of the first validator's.
    const addresses = [0, 1, 2, 3, 4].map(addressOf);
    const { links, dialled, pass } = await createLinks(
      addresses,
      (address) => addresses.indexOf(address) % 5,
    );
    await pass(10_000);
    expect(links.connected()).toHaveLength(MAX_VALIDATOR_LINKS);
    expect(dialled).toHaveLength(MAX_VALIDATOR_LINKS);
    const two = await createLinks([addressOf(0), addressOf(1)], () => 0);
    expect(two.links.connected()).toHaveLength(1);
  });

  test("are tried again after pauses that grow to half a minute", async () => {
    const { links, dialled, pass } = await createLinks([addressOf(0)], () => null);
    await pass(200_000);
    const pauses = dialled.slice(1).map(({ atMs }, i) => atMs - dialled[i]!.atMs);
    expect(pauses[0]).toBeLessThanOrEqual(1_000);
    expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
    expect(pauses.at(-1)).toBeLessThanOrEqual(30_500);
    expect(dialled.length).toBeLessThan(15);
    expect(links.status()).toEqual([{ address: addressOf(0), connected: false, lastError: "unreachable" }]);
  });

  test("are tried again as soon where the clock, two days ahead after the start, is set back meanwhile", async () => {
    const { dialled, pass, set } = await createLinks([addressOf(0)], () => null);
    await pass(60_000);
    set(-2 * 86_400_000);
    const before = dialled.length;
    await pass(60_000);
    expect(dialled.length).toBeGreaterThan(before);
  });

  test("that break are made again; who is no validator is left", async () => {
    const { links, up, pass } = await createLinks([addressOf(0), addressOf(5)], (address) =>
      address === addressOf(0) ? 0 : 5,
    );
    expect(links.connected().map(({ peerId }) => peerId)).toEqual(["0"]);
    expect([...up]).toEqual(["0"]);
    expect(links.status()[1]).toMatchObject({ connected: false, lastError: "not_a_validator" });
    up.delete("0");
    expect(links.connected()).toEqual([]);
    await pass(2_000);
    expect(links.connected()).toHaveLength(1);
  });
});

describe("links to a set that changes", () => {
  const numberOf = (address: string) => Number(/10\.0\.0\.(\d)/.exec(address)![1]);
  const said = (i: number): ValidatorAddress => ({ validator: keys[i]!.publicKey, multiaddr: addressOf(i) });

  test("keep whoever turns out to have joined, once its certificates are asked for", async () => {
    const { links, members } = await createLinks([addressOf(5)], numberOf, (known) => known.add(5));
    expect(links.connected().map(({ peerId }) => peerId)).toEqual(["5"]);
    expect(members.has(5)).toBe(true);
  });

  test("let go of who has left, and dial who has joined where it is said to listen", async () => {
    const { links, members, known, pass, up } = await createLinks([addressOf(0)], numberOf);
    members.delete(0);
    members.add(5);
    known.addresses = [said(5), { ...said(5), multiaddr: "/ip4/10.0.0.5/tcp/2" }];
    known.change();
    await pass(1_000);
    expect([...up]).toEqual(["5"]);
    expect(links.status().map(({ connected, lastError }) => ({ connected, lastError }))).toEqual([
      { connected: false, lastError: "not_a_validator" },
      { connected: true, lastError: null },
      { connected: false, lastError: null },
    ]);
    expect(known.reached).toEqual([addressOf(5)]);
    // It returns: the operator's address is tried again at once, not after the pause.
    members.add(0);
    known.change();
    await pass(1_000);
    expect(links.connected()).toHaveLength(2);
  });

  test("take what is said in place of what was said before, and keep what is in use", async () => {
    const { links, known, pass, dialled } = await createLinks([], (address) =>
      numberOf(address) === 1 ? 1 : null,
    );
    known.addresses = [said(1), said(2)];
    await pass(3_000);
    known.addresses = [said(3)];
    await pass(3_000);
    expect(links.status().map(({ address }) => address)).toEqual([addressOf(1), addressOf(3)]);
    // Whoever answers elsewhere than its key says is no reason to stay: only keys count.
    expect(new Set(dialled.map(({ address }) => address))).toEqual(new Set([1, 2, 3].map(addressOf)));
  });

  test("ask who has no seat ever more rarely", async () => {
    const { dialled, pass, known } = await createLinks([addressOf(5)], numberOf);
    for (let minutes = 0; minutes < 30; minutes++) {
      await pass(60_000);
      // Newer sets in which it has no seat either are no reason.
      known.change();
    }
    expect(dialled.length).toBeLessThan(20);
    expect(dialled.at(-1)!.atMs - dialled.at(-2)!.atMs).toBeGreaterThan(200_000);
  });
});
