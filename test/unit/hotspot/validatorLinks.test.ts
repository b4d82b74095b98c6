import { describe, expect, test } from "vitest";
import { createSystemClock } from "../../../node/src/host/clock.ts";
import { CodedError } from "../../../node/src/host/codedError.ts";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { MAX_VALIDATOR_LINKS, ValidatorLinks } from "../../../node/src/hotspot/validatorLinks.ts";
import { newKey } from "./fakeValidator.ts";

const keys = Array.from({ length: 6 }, newKey);
const addressOf = (i: number) => `/ip4/10.0.0.${i}/tcp/1`;

/** Links over a network in which some addresses answer; each pass of time is one tick. */
async function createLinks(addresses: readonly string[], answers: (address: string) => number | null) {
  let nowMs = 0;
  let tick = () => {};
  const up = new Set<string>();
  const dialled: { address: string; atMs: number }[] = [];
  const links = new ValidatorLinks(
    { addresses, validators: keys.slice(0, 5).map(({ publicKey }) => publicKey) },
    {
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
        nowMs: () => nowMs,
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
  return { links, up, dialled, pass };
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
