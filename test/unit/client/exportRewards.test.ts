/** A copy of everything that was paid: whole, in order and without doubles, however the stream breaks. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createClient } from "../../../validator/client/client.ts";
import {
  type ExportLine,
  type ExportRequest,
  exportRewards,
} from "../../../validator/client/exportRewards.ts";
import { createFixture, EPOCHS, type Fixture } from "../api/apiFixture.ts";

let fixture: Fixture;
let base: string;
/** What an export that nothing breaks gives. */
let whole: ExportLine[];
beforeAll(async () => {
  fixture = await createFixture();
  base = await fixture.api.listen({ host: "127.0.0.1", port: 0 });
  whole = await collect(createClient({ base }).lines("/v1/export/rewards", { query: { fromEpoch: 0 } }));
});
afterAll(() => fixture.api.close());

async function collect(lines: AsyncIterable<ExportLine>): Promise<ExportLine[]> {
  const collected: ExportLine[] = [];
  for await (const line of lines) collected.push(line);
  return collected;
}

type Cut = { readonly atByte: number; readonly how: "fails" | "ends" };
type Break = Cut | { readonly status: number };

/** The API behind a connection of which the first answers break, each as the list says. */
function createBroken(breaks: readonly Break[]) {
  const asked: string[] = [];
  const client = createClient({
    base,
    retries: 0,
    fetch: async (url, init) => {
      const broken = breaks[asked.length];
      asked.push(new URL(String(url)).search);
      if (broken !== undefined && "status" in broken)
        return new Response("{}", { status: broken.status, headers: { "content-type": "text/plain" } });
      const response = await fetch(url, init);
      return broken === undefined ? response : new Response(cut(await response.bytes(), broken));
    },
  });
  return { client, asked };
}

function cut(bytes: Uint8Array, { atByte, how }: Cut): ReadableStream<Uint8Array> {
  let isGiven = false;
  return new ReadableStream<Uint8Array>({
    pull: (controller) => {
      if (!isGiven && atByte > 0) controller.enqueue(bytes.slice(0, atByte));
      else if (how === "ends") controller.close();
      else controller.error(new TypeError("terminated"));
      isGiven = true;
    },
  });
}

/** What is copied, and how long it was waited before each try. */
async function copy(client: ReturnType<typeof createBroken>["client"], request: Partial<ExportRequest> = {}) {
  const waits: number[] = [];
  const wait = async (ms: number) => void waits.push(ms);
  const lines = await collect(exportRewards(client, { fromEpoch: 0, wait, ...request }));
  return { lines, waits };
}

describe("a copy of all rewards", () => {
  test("is what the export gives, and asks on until there is nothing more", async () => {
    const { client, asked } = createBroken([]);
    expect(await copy(client)).toEqual({ lines: whole, waits: [] });
    expect(asked).toEqual(["?fromEpoch=0", `?fromEpoch=${EPOCHS}`]);
    const part = await copy(client, { fromEpoch: 1, toEpoch: 2 });
    expect(part.lines).toEqual(whole.filter(({ epoch }) => epoch === 1 || epoch === 2));
    expect((await copy(client, { fromEpoch: EPOCHS })).lines).toEqual([]);
  });

  test("is the same wherever and however the stream breaks off", async () => {
    const length = Buffer.byteLength(whole.map((line) => `${JSON.stringify(line)}\n`).join(""));
    const aBreak = fc.oneof(
      fc.record({
        atByte: fc.integer({ min: 1, max: length }),
        how: fc.constantFrom("fails" as const, "ends" as const),
      }),
      fc.record({ status: fc.constantFrom(429, 502, 503, 504) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(aBreak, { maxLength: 6 }), async (breaks) => {
        const { client } = createBroken(breaks);
        expect((await copy(client)).lines).toEqual(whole);
      }),
      { numRuns: 60 },
    );
  });

  test("waits longer each time that nothing new came, and gives up at last", async () => {
    const down = (times: number): Break[] => Array.from({ length: times }, () => ({ status: 503 }));
    const { waits } = await copy(createBroken(down(7)).client);
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    await expect(copy(createBroken(down(8)).client)).rejects.toMatchObject({ status: 503 });
    const { waits: again } = await copy(
      createBroken([...down(2), { atByte: 400, how: "fails" }, ...down(2)]).client,
    );
    expect(again).toEqual([1_000, 2_000, 1_000, 2_000, 4_000]);
  });

  test("does not try again what will not pass", async () => {
    const refused = createBroken([{ status: 404 }]);
    await expect(copy(refused.client)).rejects.toMatchObject({ status: 404 });
    expect(refused.asked).toHaveLength(1);
    // The same epoch with other lines than before, or a hole between epochs.
    const lies = (lines: readonly ExportLine[]) => ({
      lines: async function* () {
        yield* lines;
      },
    });
    for (const lines of [whole.slice(1), whole.filter(({ epoch }) => epoch !== 1)])
      await expect(copy(lies(lines) as never)).rejects.toMatchObject({ name: "ExportMismatch" });
  });

  test("stops when it is told to, while it waits as well", async () => {
    const stopping = new AbortController();
    const { client } = createBroken([{ status: 503 }]);
    const wait = async () => stopping.abort(new Error("enough"));
    await expect(copy(client, { signal: stopping.signal, wait })).rejects.toThrow("enough");
  });
});
